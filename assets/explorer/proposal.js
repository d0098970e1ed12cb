/* Other thresholds: what they would select at the shown step, asked of Python and told in words. */

function propose(ui, rule, settings) {
  ui.plan.wanted = { rule, settings };
  consider(ui);
}

/** What is left out of a proposal for the run's own rule is as the run had it. */
function fullSettings(ui, wanted) {
  const header = ui.run.header;
  return header && header.rule === wanted.rule ? { ...header.settings, ...wanted.settings } : wanted.settings;
}

function clearProposal(ui) {
  ui.plan = { ...NO_PLAN };
  window.dawnAddress.changed();
  redraw(ui);
}

function isRecorded(ui, wanted) {
  const header = ui.run.header, settings = fullSettings(ui, wanted);
  return Boolean(header) && header.rule === wanted.rule && Object.keys(header.settings).every((name) => header.settings[name] === settings[name]);
}

/** Ask what the wanted settings would select here: at most one question in flight, the latest wins. */
async function consider(ui) {
  const wanted = ui.plan.wanted, step = ui.at, trace = ui.run.id;
  window.dawnAddress.changed();
  if (!wanted || step < 0 || isRecorded(ui, wanted)) {
    ui.plan.shown = null;
    return redraw(ui);
  }
  if (ui.asking) return;
  ui.asking = true;
  const answer = await ask(ui, "what_if", { trace, step, rule: wanted.rule, settings: fullSettings(ui, wanted) });
  ui.asking = false;
  const latest = ui.plan.wanted === wanted && ui.at === step && ui.run.id === trace;
  if (ui.run.id === trace && ui.plan.wanted) receive(ui, answer, wanted);
  if (!latest) consider(ui);
}

/** What a function of Python answers; a failure is {error}. */
async function ask(ui, name, request) {
  try {
    return await ui.tools.server[name](request);
  } catch (error) {
    return { error: error.message || String(error) };
  }
}

function receive(ui, answer, wanted) {
  notice(ui, answer.error ? `No answer for these settings: ${answer.error}` : "");
  if (answer.error) ui.plan.shown = null;
  else {
    index(answer.decision);
    ui.plan.shown = { ...answer, wanted, add: new Set(answer.added), drop: new Set(answer.dropped) };
  }
  redraw(ui);
}

function notice(ui, text) {
  const box = find(ui, ".dx-notice");
  box.textContent = text;
  box.hidden = !text;
}

function paintPlan(ui) {
  const box = find(ui, "[data-testid=whatif]"), plan = proposal(ui), wanted = ui.plan.wanted;
  const waiting = wanted && !plan && !isRecorded(ui, wanted);
  const words = plan ? planWords(ui, plan) : waiting ? "Asking what these thresholds would take here…" : wanted ? "Same as recorded: these are the thresholds of this run." : "Move a threshold: this step is decided again at once, from the recorded numbers.";
  if (box.textContent !== words) box.textContent = words;
  Object.assign(box.dataset, {
    state: plan ? (plan.added.length + plan.dropped.length ? "differs" : "equal") : waiting ? "waiting" : wanted ? "recorded" : "none",
    added: plan ? plan.added.join() : "", dropped: plan ? plan.dropped.join() : "",
    settings: plan ? JSON.stringify(plan.decision.settings) : "", step: plan ? plan.step : "",
  });
}

function planWords(ui, plan) {
  if (!plan.added.length && !plan.dropped.length) return "With these thresholds, this step takes the same tokens.";
  const names = (list) => list.slice(0, 6).map((p) => `${p} ‘${textAt(ui, p)}’`).join(", ") + (list.length > 6 ? ` and ${list.length - 6} more` : "");
  const parts = [plan.added.length ? `${plan.added.length} more: ${names(plan.added)}` : "", plan.dropped.length ? `${plan.dropped.length} fewer: ${names(plan.dropped)}` : ""];
  return `With these thresholds, this step would take ${parts.filter(Boolean).join("; ")}. This judges one step: for what follows, decode again.`;
}
