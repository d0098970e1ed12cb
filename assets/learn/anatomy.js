/* The anatomy's controls: which step, and what of it is changed by hand. Python decides again after each change; of changes made
   while it does, only the last is asked about. */

const LEVELS = { high: [0, 1, 0.01], induced: [0, 1, 0.01], low: [0, 1, 0.01], edge: [0.01, 0.5, 0.01], sink: [0, 0.5, 0.01] };
const role = (ui, name) => find(ui, `[data-role=${name}]`);
const noChanges = () => ({ confidence: new Map(), edges: new Map(), settings: {} });

/** What the server is asked. */
function question(ui) {
  const { confidence, edges, settings } = ui.changes;
  return { ...ui.source, confidence: [...confidence], edges: [...edges].map(([key, weight]) => [...key.split(",").map(Number), weight]), settings };
}

async function decide(ui) {
  if (ui.deciding) return void (ui.again = true);
  ui.deciding = true;
  do {
    ui.again = false;
    await answer(ui, question(ui));
  } while (ui.again);
  ui.deciding = false;
}

async function answer(ui, asked) {
  const doc = await ui.server.anatomy(asked).catch((error) => ({ error: String(error.message || error) }));
  notice(ui, doc.error || "");
  if (doc.error) return;
  ui.doc = doc;
  paintChanged(ui);
  fillControls(ui);
  if (SCENES[ui.scene].name === "step") paintScene(ui);
}

/** What the changes make of the decision, in words. */
function paintChanged(ui) {
  const { confidence, edges, settings } = ui.changes, touched = confidence.size + edges.size + Object.keys(settings).length, { added, dropped } = ui.doc;
  const parts = [added.length && `now also taken: ${added.join(", ")}`, dropped.length && `no longer: ${dropped.join(", ")}`].filter(Boolean);
  const box = find(ui, ".lx-changed"), words = !touched ? "" : parts.join("; ") || "the decision stays";
  box.textContent = words;
  box.dataset.added = added.join();
  box.dataset.dropped = dropped.join();
}

/** The lists of positions, and every slider as the step has it now. */
function fillControls(ui) {
  const all = ui.doc.columns.map(([p, text]) => [p, text ? `${p} ${text}` : `${p}`]), masked = all.filter((_, i) => ui.doc.columns[i][2]);
  fill(role(ui, "position"), all, ui.picked);
  fill(role(ui, "target"), masked, ui.edge[1]);
  fill(role(ui, "from"), all, ui.edge[0]);
  const [source, target] = [Number(role(ui, "from").value), Number(role(ui, "target").value)], column = columnOf(ui, Number(role(ui, "position").value));
  ui.picked = column[0];
  ui.edge = [source, target];
  slide(role(ui, "confidence"), column[3] ?? 0);
  slide(role(ui, "weight"), weightOf(ui, source, target) ?? 0);
  if (weightOf(ui, source, target) === null) role(ui, "weight").nextElementSibling.textContent = "< τ_edge";
  for (const name of Object.keys(LEVELS)) slide(role(ui, `level-${name}`), ui.doc.settings[name], name === "sink" && ui.doc.settings.sink_mode === "relative" ? [0, 20, 0.1] : LEVELS[name]);
}

function fill(select, options, value) {
  const key = JSON.stringify(options);
  if (select.dataset.key !== key) select.replaceChildren(...options.map(([p, text]) => Object.assign(make("option", "", text), { value: p })));
  select.dataset.key = key;
  if (options.some(([p]) => p === value)) select.value = value;
}

function slide(range, value, ends) {
  if (ends) [range.min, range.max, range.step] = ends;
  if (document.activeElement !== range) range.value = value;
  range.nextElementSibling.textContent = short(Number(range === document.activeElement ? range.value : value));
}

const columnOf = (ui, position) => ui.doc.columns.find(([p]) => p === position) || ui.doc.columns[0];

/** The weight of an edge as changed or as the graph has it; null where there is none. */
function weightOf(ui, source, target) {
  const edge = [...ui.doc.edges, ...ui.doc.removed].find(([from, to]) => from === source && to === target);
  return ui.changes.edges.get(`${source},${target}`) ?? (edge ? edge[2] : null);
}

function setConfidence(ui, position, value) {
  ui.picked = position;
  ui.changes.confidence.set(position, clamp(Math.round(value * 100) / 100, 0, 1));
  decide(ui);
}

function setWeight(ui, source, target, weight) {
  ui.edge = [source, target];
  ui.changes.edges.set(`${source},${target}`, weight);
  decide(ui);
}

/** Another step to take apart: null for Figure 3. */
function setSource(ui, source) {
  ui.source = source;
  reset(ui);
}

function reset(ui) {
  Object.assign(ui, { changes: noChanges(), picked: null, edge: [null, null] });
  decide(ui);
}

/** The run that Explore shows, and its step. */
function shownSource() {
  const explorer = document.querySelector("#explorer");
  return explorer && explorer.dataset.trace ? { trace: explorer.dataset.trace, step: Number(explorer.dataset.step || 0) } : null;
}

function chooseSource(ui) {
  const shown = role(ui, "source").value === "shown" ? shownSource() : null, range = role(ui, "step");
  find(ui, ".lx-whichstep").hidden = !shown;
  if (shown) slide(range, shown.step + 1, [1, Number(document.querySelector("#explorer").dataset.steps), 1]);
  if (shown) range.nextElementSibling.textContent = shown.step + 1;
  setSource(ui, shown || {});
}

function wireAnatomy(ui) {
  find(ui, ".lx-levels").append(...Object.keys(LEVELS).map((name) => {
    const range = Object.assign(make("input"), { type: "range" });
    range.dataset.role = `level-${name}`;
    range.addEventListener("input", () => { ui.changes.settings[name] = Number(range.value); decide(ui); });
    return make("label", "", null, `τ_${name} `, range, make("output"));
  }));
  role(ui, "source").addEventListener("change", () => chooseSource(ui));
  role(ui, "step").addEventListener("input", ({ target }) => { target.nextElementSibling.textContent = target.value; setSource(ui, { ...ui.source, step: Number(target.value) - 1 }); });
  role(ui, "position").addEventListener("change", ({ target }) => { ui.picked = Number(target.value); fillControls(ui); });
  for (const name of ["target", "from"]) role(ui, name).addEventListener("change", () => { ui.edge = [Number(role(ui, "from").value), Number(role(ui, "target").value)]; fillControls(ui); });
  role(ui, "confidence").addEventListener("input", ({ target }) => setConfidence(ui, Number(role(ui, "position").value), Number(target.value)));
  role(ui, "weight").addEventListener("input", ({ target }) => setWeight(ui, Number(role(ui, "from").value), Number(role(ui, "target").value), Number(target.value)));
  wireFigure(ui);
}

/** In the anatomy's figure: a click on an arrow removes it, a drag on a confidence bar moves it. */
function wireFigure(ui) {
  const box = find(ui, ".lx-figure"), editable = () => SCENES[ui.scene].name === "step" && !ui.presenting;
  let dragged = null;
  const move = (event) => {
    const picture = box.querySelector("svg"), place = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    setConfidence(ui, dragged, (BAND + DEEP + BARS - place.y) / BARS);
  };
  box.addEventListener("click", ({ target }) => {
    const edge = target.closest(".lx-edge");
    if (edge && editable()) setWeight(ui, Number(edge.dataset.source), Number(edge.dataset.target), 0);
  });
  box.addEventListener("pointerdown", (event) => {
    const column = event.target.closest(".lx-column"), position = column && Number(column.dataset.position);
    if (!column || !editable() || columnOf(ui, position)[3] === null) return;
    dragged = position;
    box.setPointerCapture(event.pointerId);
    move(event);
  });
  box.addEventListener("pointermove", (event) => dragged !== null && move(event));
  for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, () => { dragged = null; });
}
