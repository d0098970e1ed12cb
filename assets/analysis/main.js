/* The analysis panels: follow the explorer's shown step and selection, ask Python for what an open panel needs, draw it. A closed
   panel costs nothing, and scrubbing moves marks only. Text of people and models is written as text, never as markup. */

const LOADS = { ledger: loadLedger, replay: loadReplay, curves: loadCurves, sinks: loadSinks, attention: loadModel };

async function guarded(ui, name, work) {
  try {
    await work();
  } catch (error) {
    note(ui, name, `${error.message || error}`, "error");
  }
}

function refresh(ui, name) {
  if (ui.panels[name].open && ui.trace && ui.steps) guarded(ui, name, () => LOADS[name](ui));
}

const refreshAll = (ui) => Object.keys(LOADS).forEach((name) => refresh(ui, name));

function onStep(ui, { trace, step, steps }) {
  const other = trace !== ui.trace, more = steps !== ui.steps;
  if (other) Object.assign(ui, { trace, ledger: emptyLedger(), replay: null, sinks: null, look: null, sheet: null, bars: null, sinkMap: null, curvesFor: "", nows: [], position: null });
  Object.assign(ui, { at: step, steps });
  if (other) clearPictures(ui);
  if (other || more) {
    clearTimeout(ui.timer);
    ui.timer = setTimeout(() => refreshAll(ui), other ? 0 : QUIET);
  }
  follow(ui);
  Object.assign(ui.root.dataset, { trace: trace || "", step });
}

/** Another run: what was drawn of the last one goes. */
function clearPictures(ui) {
  for (const panel of Object.values(ui.panels)) {
    for (const canvas of panel.querySelectorAll(".ax-sheet canvas, .ax-stage canvas")) fit(canvas, 0, 0);
    for (const one of panel.querySelectorAll("tbody, .ax-key, .ax-curves, figcaption, .ax-read")) one.replaceChildren();
    for (const one of panel.querySelectorAll(".ax-row, .ax-column")) mark(one, null);
  }
}

/** Move the marks to the shown step and the selected position. */
function follow(ui) {
  if (ui.panels.ledger.open && ui.ledger.next) {
    markSheet(ui);
    if (part(ui, "ledger", "[data-filter=step]").value === "shown") later(ui, () => filtered(ui));
    else for (const line of ui.panels.ledger.querySelectorAll("tbody tr")) line.setAttribute("aria-current", Number(line.dataset.step) === ui.at + 1 && Number(line.dataset.position) === ui.position);
  }
  if (ui.panels.replay.open) markBars(ui);
  if (ui.panels.sinks.open) markSinks(ui);
  if (ui.panels.attention.open) paintStale(ui);
}

function later(ui, work) {
  clearTimeout(ui.soon);
  ui.soon = setTimeout(work, 80);
}

function onSelect(ui, { position }) {
  if (ui.position === position) return;
  ui.position = position;
  follow(ui);
  if (ui.look && ui.panels.attention.open) later(ui, () => paintLook(ui));
}

function propose(ui, rule, settings) {
  ui.plan = { rule, settings };
  ui.nows.forEach((move) => move());
  refresh(ui, "replay");
  clearTimeout(ui.sinkTimer);
  ui.sinkTimer = setTimeout(() => refresh(ui, "sinks"), QUIET); // a long answer, which would delay the other's
}

/** Sizes or theme may have changed. */
function repaint(ui) {
  const { panels } = ui;
  if (panels.ledger.open && ui.ledger.rows.length) paintLedger(ui);
  if (panels.replay.open && ui.replay) paintBars(ui);
  if (panels.sinks.open && ui.sinks) paintSinkMap(ui);
  if (panels.attention.open && ui.look) paintLook(ui);
}

function wire(ui) {
  for (const [name, panel] of Object.entries(ui.panels)) {
    panel.addEventListener("toggle", (event) => {
      if (event.target !== panel) return;
      window.dawnAddress.changed();
      if (panel.open) refresh(ui, name);
    });
  }
  part(ui, "replay", ".ax-more").addEventListener("toggle", () => ui.replay && replayTable(ui));
  part(ui, "replay", ".ax-stage").addEventListener("click", (event) => {
    const k = ui.bars && Math.floor((inside(event, event.currentTarget)[0] - MARGIN.left) / ui.bars.pitch);
    if (ui.bars && k >= 0 && k < ui.steps) visit(k, null);
  });
  document.addEventListener("dawn:step", (event) => onStep(ui, event.detail));
  document.addEventListener("dawn:select", (event) => onSelect(ui, event.detail));
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => { if (contentRect.width !== width) { width = contentRect.width; later(ui, () => repaint(ui)); } }).observe(ui.root);
  new MutationObserver(() => repaint(ui)).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

/** Start the panels inside a gr.HTML. tools: trigger, props, server, watch (Gradio's), theme (viz/theme.py), look (event name). */
window.mountDawnAnalysis = (element, tools) => {
  const root = element.querySelector("#analysis"), panels = Object.fromEntries([...root.querySelectorAll(".ax-panel")].map((panel) => [panel.dataset.panel, panel]));
  const ui = { root, tools, theme: tools.theme, panels, trace: null, at: 0, steps: 0, position: null, plan: null, ledger: emptyLedger(), inks: new Map(), maps: new Map(), nows: [], curvesFor: "" };
  buildLedger(ui);
  buildSinks(ui);
  buildAttention(ui);
  wire(ui);
  for (const name of (window.dawnAddress.asked.panels || "").split(".")) if (Object.hasOwn(panels, name)) panels[name].open = true;
  window.dawnAddress.tell("analysis", () => ({ panels: Object.keys(panels).filter((name) => panels[name].open).join(".") || null }));
  tools.watch("value", () => guarded(ui, "attention", () => receiveLook(ui)));
  window.dawnAnalysis = { propose: (rule, settings) => propose(ui, rule, settings) };
  const { trace, step, steps } = document.querySelector("#explorer")?.dataset || {};
  if (step) onStep(ui, { trace, step: Number(step), steps: Number(steps) });
};
