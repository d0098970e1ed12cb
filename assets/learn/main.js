/* The lesson: which scene and stage is shown. Scenes and stages in order are one walk: its places are counted from 1 on the page.
   Text of models is written as text, never as markup. */

const ACTIONS = {
  present, reset, "scene-next": (ui) => go(ui, ui.scene + 1, 0), "scene-back": (ui) => go(ui, ui.scene - 1, 0),
  "stage-next": (ui) => go(ui, ui.scene, ui.stage + 1), "stage-back": (ui) => go(ui, ui.scene, ui.stage - 1),
};

function notice(ui, words) {
  const box = find(ui, ".dx-notice");
  box.textContent = words;
  box.hidden = !words;
}

function go(ui, scene, stage) {
  ui.scene = clamp(scene, 0, SCENES.length - 1);
  ui.stage = clamp(stage, 0, stagesOf(ui, ui.scene) - 1);
  paintScene(ui);
  window.dawnAddress.changed();
}

/** One place on or back in the walk through all stages of all scenes. */
function walk(ui, by) {
  const stage = ui.stage + by;
  if (stage >= 0 && stage < stagesOf(ui, ui.scene)) return go(ui, ui.scene, stage);
  const scene = ui.scene + by;
  if (scene >= 0 && scene < SCENES.length) go(ui, scene, by > 0 ? 0 : Infinity);
}

function paintScene(ui) {
  const { name, title, words, draw, caption } = SCENES[ui.scene], { scene, stage } = ui, many = stagesOf(ui, scene), range = find(ui, "[data-testid=stage]");
  find(ui, ".lx-title").textContent = `${scene + 1}. ${title}`;
  find(ui, ".lx-words").textContent = words;
  find(ui, ".lx-caption").textContent = caption(ui, stage);
  const figure = find(ui, ".lx-figure");
  figure.replaceChildren(draw(ui, stage));
  figure.dataset.testid = name === "step" ? "anatomy" : "figure";
  find(ui, ".lx-stages").hidden = many === 1;
  Object.assign(range, { max: many - 1 });
  range.value = stage;
  const called = stageName(ui, scene, stage);
  range.setAttribute("aria-valuetext", `${stage + 1} of ${many} ${called}`);
  find(ui, ".lx-stage").textContent = `${stage + 1} / ${many} ${called}`;
  find(ui, "[data-do=stage-back]").disabled = stage === 0;
  find(ui, "[data-do=stage-next]").disabled = stage === many - 1;
  find(ui, ".lx-tools").hidden = name !== "step";
  paintExercises(ui);
  paintPlace(ui);
  paintLegend(ui);
  Object.assign(ui.root.dataset, { stage, scenes: SCENES.length, name, scene });
}

function paintPlace(ui) {
  const counts = SCENES.map((_, scene) => stagesOf(ui, scene)), before = counts.slice(0, ui.scene).reduce((sum, one) => sum + one, 0);
  find(ui, ".lx-count").textContent = `${before + ui.stage + 1} / ${counts.reduce((sum, one) => sum + one, 0)}`;
  find(ui, "[data-do=scene-back]").disabled = ui.scene === 0;
  find(ui, "[data-do=scene-next]").disabled = ui.scene === SCENES.length - 1;
  [...find(ui, ".lx-list").children].forEach(({ firstChild }, i) => (i === ui.scene ? firstChild.setAttribute("aria-current", "step") : firstChild.removeAttribute("aria-current")));
}

/** Colours, patterns and shapes where they are used. */
function paintLegend(ui) {
  const used = { confidence: ["high"], sinks: ["sink"], anchors: ["anchor", "high", "induced"], conflicts: ["high", "induced", "conflict_free"], step: ["sink", "anchor", "high", "induced", "conflict_free", "forced", "refused"], run: ["high", "induced", "conflict_free", "forced", "filled"] };
  const lean = ["evidence", "leans on an anchor"], conflict = ["conflict", "conflict"], lines = { anchors: [lean], conflicts: [conflict], step: [lean, conflict] };
  find(ui, ".lx-legend").replaceChildren(...(used[SCENES[ui.scene].name] || []).map((name) => {
    const swatch = make("i", "dx-swatch");
    swatch.dataset[ui.theme.tiers.includes(name) ? "tier" : "role"] = name;
    return make("span", "", null, swatch, `${ui.theme.looks[name].label}: ${ui.theme.looks[name].words}`);
  }), ...(lines[SCENES[ui.scene].name] || []).map(([kind, words]) => make("span", "", null, make("i", `dx-line dx-${kind}`), words)));
}

/** Keys count wherever the page's focus rests on the tab; those of controls, and of a figure that scrolls, stay theirs. */
function key(ui, event) {
  const { target } = event, here = ui.root.contains(target) || target === document.body || target.closest("[role=tab]");
  if (!here || !ui.root.clientWidth || ui.presenting || event.altKey || event.ctrlKey || event.metaKey || !ui.data) return;
  const busy = target.closest("input, select, textarea, button") || target.scrollWidth > target.clientWidth;
  if (event.key === "p" && !target.closest("select")) present(ui);
  else if (busy && target !== document.body) return;
  else if (event.key === "ArrowRight") walk(ui, 1);
  else if (event.key === "ArrowLeft") walk(ui, -1);
  else return;
  event.preventDefault();
}

function wire(ui) {
  ui.root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && ui.data) ACTIONS[button.dataset.do](ui);
  });
  document.addEventListener("keydown", (event) => key(ui, event));
  find(ui, "[data-testid=stage]").addEventListener("input", ({ target }) => go(ui, ui.scene, Number(target.value)));
  find(ui, ".lx-list").append(...SCENES.map(({ title }, i) => {
    const button = Object.assign(make("button", "", title), { type: "button" });
    button.addEventListener("click", () => ui.data && go(ui, i, 0));
    return make("li", "", null, button);
  }));
  new MutationObserver(() => ui.data && paintScene(ui)).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  wireAnatomy(ui);
  wirePresenter(ui);
}

/** What all scenes show, once the tab is seen. */
async function begin(ui) {
  ui.root.setAttribute("aria-busy", "true");
  try {
    const data = await ui.server.lesson({}), run = { steps: [], pieces: {} };
    if (data.error) throw new Error(data.error);
    for (let from = 0, more = true; more; ) {
      const answer = await ui.server.fetch({ trace: data.example.trace, from });
      if (answer.error) throw new Error(answer.error);
      const document = await unpack(answer.body);
      run.header = document.header || run.header;
      Object.assign(run.pieces, document.pieces);
      run.steps.push(...document.steps);
      more = document.steps.length > 0;
      from = answer.next;
    }
    Object.assign(ui, { data, run, doc: data.figure });
    fillControls(ui);
    go(ui, ui.scene, 0);
    ui.root.dataset.ready = "true";
  } catch (error) {
    notice(ui, `The lesson could not be read: ${error.message || error}`);
  }
  ui.root.removeAttribute("aria-busy");
}

/** The scene that the address asks for; the first if it asks for none, or for one that is not there. */
function askedScene() {
  const scene = Number(window.dawnAddress.asked.scene);
  return Number.isInteger(scene) && scene >= 1 && scene <= SCENES.length ? scene - 1 : 0;
}

/** Start the lesson inside a gr.HTML. tools: server (Gradio's), theme (viz/theme.py). */
window.mountDawnLearn = (element, { server, theme }) => {
  const ui = { root: element.querySelector("#learn"), server, theme, scene: askedScene(), stage: 0, source: {}, changes: noChanges(), picked: null, edge: [null, null], presenting: false };
  wire(ui);
  const seen = new ResizeObserver(() => {
    if (!ui.root.clientWidth) return;
    seen.disconnect();
    begin(ui);
  });
  seen.observe(ui.root);
  window.dawnAddress.tell("learn", (tab) => ({ scene: tab === "learn" && ui.data ? ui.scene + 1 : null }));
};
