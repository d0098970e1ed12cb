/* The run: fetched steps, what is known of every position, and which step is shown. */

// ---------------------------------------------------------------- the run
function emptyRun(id) {
  return { id, header: null, steps: [], pieces: {}, came: null, tier: [], last: null };
}

/** Fetch until nothing is missing. One fetch at a time; value updates in between only move the goal. */
async function follow(ui) {
  const value = ui.tools.props.value || {};
  if (value.notice && !value.trace) return notice(ui, value.notice);
  adopt(ui, value);
  if (ui.fetching) return;
  ui.fetching = true;
  while (ui.run.steps.length < (ui.value.steps || 0) && (await fetchMore(ui)));
  ui.fetching = false;
  ui.root.dataset.done = ui.value.done !== false;
  if (ui.back && arrived(ui)) {
    land(ui, ui.back);
    ui.back = null;
  }
  if (ui.value.notice) notice(ui, ui.value.notice);
}

/** Whether the step that the address asked for is there, or will never be. */
const arrived = ({ back, run, value }) => back.step === null || back.step < run.steps.length || value.done !== false;

/** Take over a new value; another trace starts from nothing. */
function adopt(ui, value) {
  const changed = value.trace !== ui.run.id;
  ui.value = value;
  ui.back = value.back || (changed ? null : ui.back);
  if (changed) reset(ui, value);
  find(ui, ".dx-title").textContent = value.title || "";
  find(ui, "[data-do=fork]").disabled = value.done === false || value.fork === false;
  ui.root.dataset.running = value.done === false;
  paintBranches(ui);
  redraw(ui);
}

function reset(ui, value) {
  ui.player.stop();
  ui.run = emptyRun(value.trace);
  Object.assign(ui, { at: -1, following: true, hovered: null, locked: null });
  ui.plan = { ...NO_PLAN, wanted: ui.plan.wanted };
  Object.assign(ui, { limits: new Map(), limitsFor: "", timelineFor: null, line: null });
  ui.root.dataset.empty = !value.trace;
  ui.root.classList.add("dx-unpainted");
  Object.assign(ui.root.dataset, { step: "", steps: "0", trace: value.trace || "", done: false });
  notice(ui, "");
  if (!value.trace) find(ui, ".dx-tokens").replaceChildren();
}

/** One request; false if it brought nothing, so that nobody asks for ever. */
async function fetchMore(ui) {
  const id = ui.value.trace, from = ui.run.steps.length;
  try {
    const answer = await ui.tools.server.fetch({ trace: id, from });
    if (answer.error) throw new Error(answer.error);
    const document = await unpack(answer.body);
    if (ui.run.id !== id) return true;
    append(ui, document);
    return document.steps.length > 0;
  } catch (error) {
    if (ui.run.id !== id) return true;
    notice(ui, `The recorded steps could not be read: ${error.message || error}`);
    return false;
  }
}

function append(ui, document) {
  const run = ui.run;
  Object.assign(run.pieces, document.pieces);
  if (document.header) begin(ui, document.header);
  for (const step of document.steps) {
    remember(run, step);
    run.steps.push(step);
    for (const p of [...step.decision.taken.keys(), ...step.filled]) reserve(ui, p);
  }
  find(ui, "[data-testid=scrubber]").max = Math.max(0, run.steps.length - 1);
  ui.barsFor = null;
  const first = ui.at < 0 && ui.value.done !== false && Number.isInteger(ui.value.at);
  if (first) show(ui, ui.value.at, false);
  else if (ui.following) show(ui, run.steps.length - 1, true);
  else redraw(ui);
}

/** Arrays over all positions, and the elements of the canvas: made once per run. */
function begin(ui, header) {
  const run = ui.run, length = header.length;
  run.header = header;
  run.came = new Int32Array(length).fill(NEVER);
  run.last = Int32Array.from(header.tokens);
  run.tier = new Array(length).fill("");
  for (let p = 0; p < length; p++) if (header.tokens[p] !== header.mask) run.came[p] = GIVEN;
  buildTokens(ui);
}

/** What a step wrote: when, by which tier, which token. */
function remember(run, step) {
  const write = (p, tier, token) => {
    run.came[p] = step.index;
    run.tier[p] = tier;
    run.last[p] = token;
  };
  step.rows = new Map([...step.window].map((p, row) => [p, row]));
  for (const [p, tier] of step.decision.committed) write(p, tier, step.predicted[step.rows.get(p)]);
  for (const p of step.filled) write(p, "filled", step.end);
  index(step.decision);
}

/** Look-ups by position for a decision, recorded or proposed. */
function index(decision) {
  decision.taken = new Map(decision.committed.map((one) => [one[0], one]));
  decision.left = new Map(decision.refused.map((one) => [one[0], one]));
  decision.sinks = new Set(decision.graph ? decision.graph.sinks : []);
}

const current = (ui) => ui.run.steps[ui.at];
const proposal = (ui) => (ui.plan.shown && ui.plan.shown.step === ui.at ? ui.plan.shown : null);
const decided = (ui) => (proposal(ui) || current(ui)).decision;

function show(ui, k, following) {
  const last = ui.run.steps.length - 1;
  if (last < 0) return;
  ui.at = clamp(k, 0, last);
  ui.following = following ?? ui.at === last;
  const scrubber = find(ui, "[data-testid=scrubber]");
  if (Number(scrubber.value) !== ui.at) scrubber.value = ui.at;
  redraw(ui);
  if (ui.plan.wanted) consider(ui);
}
