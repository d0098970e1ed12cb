/* Exercises: choose positions, check, read why. The answers are on the server, which reads them off the step. */

function paintExercises(ui) {
  const box = find(ui, ".lx-exercises"), name = SCENES[ui.scene].name;
  if (box.dataset.scene === name) return;
  box.dataset.scene = name;
  box.replaceChildren(...ui.data.exercises.flatMap((one, i) => (one.scene === name ? [exercise(ui, one, i)] : [])));
}

function exercise(ui, one, i) {
  const chosen = new Set(), says = make("div", "lx-says"), check = Object.assign(make("button", "lx-check", "Check"), { type: "button" });
  says.setAttribute("role", "status");
  const choices = one.choices.map(([position, name, sure]) => {
    const button = Object.assign(make("button", "lx-choice", name, make("small", "", sure)), { type: "button" });
    button.dataset.position = position;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (!chosen.delete(position)) chosen.add(position);
      button.setAttribute("aria-pressed", chosen.has(position));
    });
    return button;
  });
  check.addEventListener("click", async () => verdict(says, await ui.server.check({ exercise: i, chosen: [...chosen] }).catch((error) => ({ error: String(error.message || error) }))));
  const figure = make("div", "lx-small", null, stepFigure(ui.theme, one.figure, one.stage, { blank: true }));
  Object.assign(figure, { tabIndex: 0 });
  figure.setAttribute("role", "group");
  figure.setAttribute("aria-label", `Figure of exercise ${i + 1}`);
  const group = make("div", "lx-choices", null, ...choices);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", one.question);
  const box = make("section", "dx-panel lx-exercise", null, make("h4", "", `Exercise ${i + 1}`, make("small", "", ` ${one.about}`)), make("p", "", one.question), figure, group, check, says);
  box.dataset.testid = `exercise-${i + 1}`;
  box.setAttribute("aria-label", `Exercise ${i + 1}`);
  return box;
}

/** Right or not, and the reasons, each with a sign. */
function verdict(says, { error, right, lines }) {
  if (error) return void (says.textContent = error);
  says.dataset.right = right;
  const list = make("ul", "", null, ...lines.map(([, met, why]) => make("li", met ? "lx-met" : "lx-unmet", `${met ? "✓" : "✗"} ${why}.`)));
  says.replaceChildren(make("b", "", right ? "Right." : "Not yet."), list);
}
