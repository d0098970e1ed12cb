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
  first: (ui) => move(ui, 0), last: (ui) => move(ui, Infinity), back: (ui) => move(ui, ui.at - 1), forward: (ui) => move(ui, ui.at + 1), play: (ui) => ui.player.toggle(),
  fork: (ui) => ui.tools.trigger(ui.tools.fork, { trace: ui.run.id, step: ui.at }), along: (ui) => arrange(ui, "along"), plane: (ui) => arrange(ui, "plane"),
  conflicts: (ui) => arrange(ui, "conflicts"), differences, solo, graphml: (ui) => exportGraph(ui, "graphml"), json: (ui) => exportGraph(ui, "json"), link: copyLink, png: savePicture, svg: savePicture,
  mask: (ui) => forkWith(ui, { mask: true }), write: (ui, button) => forkWith(ui, { token: Number(button.dataset.token) }),
};
const KEYS = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play" };

function move(ui, k) {
  ui.player.stop();
  if (ui.back) stay(ui);
  show(ui, k);
}

function arrange(ui, layout) {
  ui.layout = layout;
  for (const name of Object.keys(HEIGHT)) find(ui, `[data-do=${name}]`).setAttribute("aria-pressed", name === layout);
  redraw(ui);
}

function differences(ui, button) {
  ui.differences = !ui.differences;
  button.setAttribute("aria-pressed", ui.differences);
  redraw(ui);
}

/** One panel alone on the screen, with the steps above it and, beside a picture, the card. Where a page may not fill the screen,
    the panel fills the explorer. */
function solo(ui, button) {
  if (ui.root.dataset.solo) return together(ui);
  ui.root.dataset.solo = /dx-(words|side|graph|map|timeline)$/.exec(button.closest(".dx-panel").className)[1];
  button.setAttribute("aria-pressed", "true");
  if (ui.root.requestFullscreen) ui.root.requestFullscreen().catch(() => {});
  measure(ui);
}

function together(ui) {
  delete ui.root.dataset.solo;
  for (const button of ui.root.querySelectorAll("[data-do=solo]")) button.setAttribute("aria-pressed", "false");
  if (document.fullscreenElement) document.exitFullscreen();
  measure(ui);
}

/** Sizes or theme may have changed: measure and draw everything anew. */
function measure(ui) {
  ui.widths = new Map();
  ui.barsFor = null;
  redraw(ui);
}

function key(ui, event) {
  if (event.key === "Escape") return ui.root.dataset.solo && !selected(ui) ? together(ui) : unlock(ui);
  if (event.target.closest("input[type=text]")) return;
  const typing = event.target.closest("select, button, summary, input:not([type=range])");
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
  watchKeys(ui, ".dx-graph .dx-stage", walkGraph);
  watchKeys(ui, ".dx-map .dx-stage", walkMap);
  watchTimeline(ui);
  find(ui, ".dx-edit").addEventListener("submit", (event) => {
    event.preventDefault();
    forkWith(ui, { text: find(ui, ".dx-edit input").value });
  });
  find(ui, ".dx-edges").addEventListener("toggle", () => redraw(ui));
  document.addEventListener("fullscreenchange", () => document.fullscreenElement || !ui.root.dataset.solo || together(ui));
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

// ---------------------------------------------------------------- the page's address
/** What the address names of the explorer: see address.js. Settings only as they differ from those of the run. */
function addressParts(ui) {
  const { run, locked } = ui, wanted = ui.plan.wanted, plan = {};
  if (wanted && run.header && !isRecorded(ui, wanted)) {
    plan.rule = wanted.rule;
    for (const [name, value] of Object.entries(wanted.settings)) if (wanted.rule !== run.header.rule || value !== run.header.settings[name]) plan[`set.${name}`] = value;
  }
  return { trace: run.id, step: ui.at < 0 ? null : ui.at + 1, position: locked && locked.position, ...plan };
}

/** A link for others; what makes the run again is in it. Where the page may not write to the clipboard the link is shown, to be
    copied by hand. */
async function copyLink(ui) {
  const link = window.dawnAddress.link(ui.run.header ? ui.run.header.again : {}), box = find(ui, ".dx-hand input"), said = find(ui, ".dx-copied");
  Object.assign(box, { value: link, hidden: true });
  try {
    await navigator.clipboard.writeText(link);
    said.textContent = "Copied";
  } catch {
    box.hidden = false;
    box.select();
    said.textContent = "Copy it from here";
  }
  clearTimeout(ui.copied);
  ui.copied = setTimeout(() => { said.textContent = ""; }, 4000);
}

/** What the address asked for is no longer wanted: somebody has moved on. */
function stay(ui) {
  ui.back = null;
  window.dawnAddress.settle();
}

/** Show the step, selection and settings that the address asked for, once the steps are there. */
function land(ui, { step, position, rule, settings }) {
  if (step !== null) show(ui, step, false); // also of a run that goes on: its newest step may be the one that was asked for
  if (position !== null) choose(ui, position, true);
  if (rule) for (const part of [window.dawnExplorer, window.dawnAnalysis]) part && part.propose(rule, settings);
  window.dawnAddress.settle();
}

/** Start the explorer inside a gr.HTML. tools: trigger, props, server, watch (Gradio's), theme (viz/theme.py), fork, organise and
    restore (names of events). */
window.mountDawnExplorer = (element, tools) => {
  const ui = {
    root: element.querySelector("#explorer"), tools, theme: tools.theme, value: {}, run: emptyRun(undefined), plan: { ...NO_PLAN },
    at: -1, following: true, layout: "along", hovered: null, locked: null, tokens: [], marked: [], groups: [], widths: new Map(), differences: false, limits: new Map(), limitsFor: "",
    announced: { position: null, locked: false }, painted: null,
  };
  ui.player = window.dawnParts.player(ui.root, { at: () => ui.at, last: () => ui.run.steps.length - 1, show: (k) => show(ui, k) });
  wire(ui);
  paintLegend(ui);
  tools.watch("value", () => follow(ui));
  window.dawnExplorer = {
    show: (k) => move(ui, k), select: (position, lock = false) => choose(ui, position, lock),
    propose: (rule, settings) => propose(ui, rule, settings), clearProposal: () => clearProposal(ui),
  };
  follow(ui);
  window.dawnAddress.tell("explorer", () => addressParts(ui));
  tools.trigger(tools.restore, { address: window.dawnAddress.asked, key: window.dawnAddress.key });
};
