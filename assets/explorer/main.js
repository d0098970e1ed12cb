/* The explorer: shows the recorded steps of one run. Owns what is shown and selected; asks Python only for steps it does not
   have and for answers that only Python can give. Text of people and models is written as text, never as markup.

   For other components of the page:
     window.dawnExplorer.show(k)                    show step k, counted from 0
     window.dawnExplorer.select(position, lock)     select a position, or null to select nothing; lock: as a click does
     window.dawnExplorer.propose(rule, settings)    show what other settings would take at the shown step
     window.dawnExplorer.clearProposal()            show what was recorded
   and two events on #explorer, which bubble up to the document:
     dawn:step    detail {trace, step, steps}       a step was painted, or more steps are known
     dawn:select  detail {position, locked}         the selection changed; position is null where nothing is selected */

const ACTIONS = {
  first: (ui) => move(ui, 0), last: (ui) => move(ui, Infinity), back: (ui) => move(ui, ui.at - 1), forward: (ui) => move(ui, ui.at + 1), play,
  fork: (ui) => ui.tools.trigger(ui.tools.fork, { trace: ui.run.id, step: ui.at }), along: (ui) => arrange(ui, "along"), plane: (ui) => arrange(ui, "plane"), expand,
};
const KEYS = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play" };

function move(ui, k) {
  stop(ui);
  show(ui, k);
}

function arrange(ui, layout) {
  ui.layout = layout;
  for (const name of ["along", "plane"]) find(ui, `[data-do=${name}]`).setAttribute("aria-pressed", name === layout);
  redraw(ui);
}

function expand(ui, button) {
  const wide = button.closest(".dx-panel").classList.toggle("dx-wide");
  button.setAttribute("aria-pressed", wide);
  measure(ui);
}

/** Sizes or theme may have changed: measure and draw everything anew. */
function measure(ui) {
  ui.widths = new Map();
  ui.barsFor = null;
  redraw(ui);
}

function key(ui, event) {
  if (event.key === "Escape") return unlock(ui);
  const typing = event.target.closest("select, button, input:not([type=range])");
  if (!KEYS[event.key] || event.altKey || event.ctrlKey || event.metaKey || (typing && event.key === " ") || event.target.closest("select")) return;
  event.preventDefault();
  ACTIONS[KEYS[event.key]](ui);
}

function wire(ui) {
  ui.root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) ACTIONS[button.dataset.do](ui, button);
  });
  ui.root.addEventListener("keydown", (event) => key(ui, event));
  find(ui, "[data-testid=scrubber]").addEventListener("input", (event) => move(ui, Number(event.target.value)));
  watchTokens(ui);
  watchStage(ui, ".dx-map .dx-stage", cellAt);
  watchStage(ui, ".dx-graph .dx-stage", graphAt);
  const again = () => measure(ui);
  new ResizeObserver(again).observe(ui.root);
  new MutationObserver(again).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}

// ---------------------------------------------------------------- legend
function paintLegend(ui) {
  const { looks, tiers, roles } = ui.theme;
  const item = (name, extra) => {
    const swatch = make("i", "dx-swatch");
    Object.assign(swatch.dataset, extra);
    const one = make("span", "", null, swatch, looks[name].label);
    one.title = looks[name].words;
    return one;
  };
  const lines = ["evidence", "conflict", "other"].map((kind, i) => make("span", "", null, make("i", `dx-line dx-${kind}`), ["leans on an anchor", "conflict", "other dependency"][i]));
  find(ui, ".dx-legend").replaceChildren(make("b", "", "Taken as"), ...tiers.map((tier) => item(tier, { tier })), make("b", "", "Others"), ...roles.map((role) => item(role, { role })), make("b", "", "Arrows"), ...lines);
}

/** Start the explorer inside a gr.HTML. tools: trigger, props, server, watch (Gradio's), theme (viz/theme.py), fork (event name). */
window.mountDawnExplorer = (element, tools) => {
  const ui = {
    root: element.querySelector("#explorer"), tools, theme: tools.theme, value: {}, run: emptyRun(undefined), plan: { ...NO_PLAN },
    at: -1, following: true, layout: "along", hovered: null, locked: null, tokens: [], marked: [], groups: [], widths: new Map(),
    announced: { position: null, locked: false }, painted: null,
  };
  wire(ui);
  paintLegend(ui);
  tools.watch("value", () => follow(ui));
  window.dawnExplorer = {
    show: (k) => move(ui, k), select: (position, lock = false) => choose(ui, position, lock),
    propose: (rule, settings) => propose(ui, rule, settings), clearProposal: () => clearProposal(ui),
  };
  follow(ui);
};
