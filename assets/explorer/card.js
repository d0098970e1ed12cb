/* The card: what happened to the selected position, in words. */

function paintCard(ui, selection) {
  considerLimits(ui, selection);
  const limits = ui.limits.get(ui.limitsFor), forks = mayFork(ui);
  const key = JSON.stringify([selection, selection ? ui.at : hint(ui), ui.run.id, proposal(ui) && proposal(ui).wanted, ui.run.steps.length, ui.limitsFor, limits, forks]);
  if (ui.cardFor === key) return;
  ui.cardFor = key;
  paintEdit(ui, selection);
  const card = find(ui, ".dx-card");
  if (!selection) return card.replaceChildren(make("p", "dx-soft", hint(ui)));
  const p = selection.position, lines = story(ui, p), plan = planLine(ui, p);
  const head = make("p", "dx-cardhead", null, make("b", "", `${p}`), make("code", "", textAt(ui, p) || "masked"), tag(ui, p));
  card.replaceChildren(head, ...lines.map((line) => sentence(ui, line)));
  if (selection.other !== null && selection.other !== undefined) card.append(cellLine(ui, selection));
  if (plan) card.append(make("p", "dx-planline", plan));
  card.append(...limitLines(ui, limits), ...chances(ui, p));
}

const REST = 250; // milliseconds that a locked selection rests before Python is asked about it

/** The step that decided about a position as the card tells it: the shown one, or the earlier one that took it; null if none. */
function decisionAt(ui, p) {
  const k = ui.run.came[p];
  if (k >= 0 && k <= ui.at) return ui.run.tier[p] === "filled" ? null : k;
  return current(ui).decision.left.has(p) ? ui.at : null;
}

/** Ask how far the thresholds are from another decision, once a locked selection rests. */
function considerLimits(ui, selection) {
  const position = ui.locked && selection ? selection.position : null, step = position === null ? null : decisionAt(ui, position);
  const wanted = step === null ? "" : [ui.run.id, step, position].join();
  if (wanted === ui.limitsFor) return;
  clearTimeout(ui.limitsTimer);
  ui.limitsFor = wanted;
  if (!wanted || ui.limits.has(wanted)) return;
  ui.limitsTimer = setTimeout(async () => {
    ui.limits.set(wanted, await ask(ui, "changes", { trace: ui.run.id, step, position }));
    redraw(ui, true);
  }, REST);
}

/** The nearest value of each threshold that gives another decision. */
function limitLines(ui, limits) {
  if (!ui.limitsFor) return [];
  const head = make("h4", "", "What would change this decision");
  if (!limits) return [head, make("p", "dx-soft", "Deciding again at every critical value…")];
  if (limits.error) return [head, make("p", "dx-soft", limits.error)];
  if (!limits.changes.length) return [head, make("p", "dx-soft", "No threshold alone: whichever is moved, the decision stays.")];
  const list = make("ul", "dx-limits"), lines = limits.changes.map((one) => make("li", "", null, ...limitWords(ui, one)));
  list.dataset.testid = "limits";
  list.append(...lines);
  return [head, list];
}

/** The words, with the value as a button that moves the threshold there. */
function limitWords(ui, { name, now, shown, taken, why, control }) {
  const effect = taken ? `taken as ${ui.theme.looks[why].label}` : `not taken: ${REASONS[why]}`, button = make("button", "dx-link", plain(shown));
  Object.assign(button, { type: "button", title: `Set ${name} to ${plain(shown)}` });
  button.setAttribute("aria-label", button.title);
  button.addEventListener("click", () => notice(ui, setControl(control, shown)));
  return [`${name} ${shown < now ? "down to" : "up to"} `, button, ` (now ${plain(now)}): ${effect}`];
}

const REASONS = {
  below: "below every bar", conflict: "in conflict with one taken first", dropped: "in conflict with one taken before it",
  outranked: "others stand before it", unstable: "still changing",
};

// ---------------------------------------------------------------- another token, or a mask
const mayFork = (ui) => ui.value.done !== false && ui.value.fork !== false;
const editable = (ui, p) => mayFork(ui) && (p >= ui.run.header.prompt || ui.run.came[p] !== GIVEN);

/** Decode again from the shown step with an edit at the selected position: {token}, {text} or {mask: true}. */
function forkWith(ui, edit) {
  const { position } = selected(ui);
  ui.tools.trigger(ui.tools.fork, { trace: ui.run.id, step: ui.at, edit: { position, ...edit } });
}

/** The form below the card; what is typed there stays while the card changes. */
function paintEdit(ui, selection) {
  const form = find(ui, ".dx-edit"), p = selection && selection.position, came = selection ? ui.run.came[p] : NEVER;
  form.hidden = !ui.locked || !editable(ui, p);
  find(ui, "[data-do=mask]").hidden = came === NEVER || came >= ui.at;
}

function hint(ui) {
  const none = current(ui).decision.committed.length;
  return `This step took ${none} token${none === 1 ? "" : "s"} at once. Point at a token to read why it was taken, or why it still waits.`;
}

function tag(ui, p) {
  const look = tokenLook(ui, current(ui), p), name = look.tier ? ui.theme.looks[look.tier].label : look.reason ? "refused" : look.state;
  const element = make("span", "dx-tag", name);
  element.dataset.tier = look.tier;
  return element;
}

/** A sentence: text and positions, positions as buttons that select them. */
function sentence(ui, parts) {
  return make("p", "", null, ...[].concat(parts).map((part) => (typeof part === "object" ? link(ui, part.position) : part)));
}

function link(ui, position) {
  const button = make("button", "dx-link", `${position} ${textAt(ui, position)}`);
  button.type = "button";
  button.addEventListener("click", () => select(ui, { position, other: null }, true));
  return button;
}

/** What happened to a position, as lines of text and positions. */
function story(ui, p) {
  const { came, header } = ui.run, step = current(ui), k = came[p];
  if (k === GIVEN) return [givenStory(ui, p, p < header.prompt ? "Part of the prompt." : "Written before this run began.")];
  if (k >= 0 && k <= step.index) return takenStory(ui, p, ui.run.steps[k]);
  const refused = step.decision.left.get(p);
  return [refused ? refusedStory(step, refused) : "Masked, in a later block: the decoder does not choose there yet."];
}

function givenStory(ui, p, words) {
  const step = current(ui), confidence = step.confidence[p], high = step.decision.settings.high;
  if (!(confidence >= 0) || high === undefined) return words;
  if (step.decision.sinks.has(p)) return `${words} A sink in this step: nearly everything looks at it, so its column is removed.`;
  const [a, b] = pair(confidence, level(high)), enough = confidence >= level(high);
  return `${words} The model gives its place ${a} now, ${enough ? `at least high ${b}: it can serve as an anchor` : `below high ${b}: it is no anchor`}.`;
}

function takenStory(ui, p, step) {
  if (ui.run.tier[p] === "filled") return [`Filled with end of text after step ${step.index + 1}: the answer had ended.`];
  const [, tier, evidence] = step.decision.taken.get(p), c = step.confidence[p];
  const when = step.index === ui.at ? "Taken in this step." : `Taken in step ${step.index + 1}.`;
  const lines = [`${when} ${tierWords(tier, c, step.decision)}`];
  if (evidence.length) lines.push(["It depends on ", ...evidence.slice(0, 5).flatMap(([anchor, weight], i) => [i ? ", " : "", { position: anchor }, ` (${edgeWords(weight, step.decision)})`]), evidence.length > 5 ? ` and ${evidence.length - 5} more.` : "."]);
  return lines;
}

const edgeWords = (weight, decision) => { const [a, b] = pair(weight, level(decision.settings.edge)); return `${a} ≥ edge ${b}`; };

function tierWords(tier, c, { settings, rule }) {
  const against = (name) => pair(c, level(settings[name]));
  if (rule === "dapd" && tier === "high") { const [a, b] = against("high"); return `Confidence ${a}, above high ${b}, which is enough once fewer than half of the positions are masked.`; }
  if (rule === "dapd" && tier === "conflict_free") return `Confidence ${number(c)}: no edge above ${plain(settings.edge)} joins it to another one taken.`;
  if (tier === "high") { const [a, b] = against("high"); return `Confidence ${a}, at least high ${b}: taken whatever it depends on.`; }
  if (tier === "induced") { const [a, b] = against("induced"); return `Confidence ${a}, below high ${plain(settings.high)}, but an anchor lowers the bar to induced ${b}.`; }
  if (tier === "conflict_free") { const [a, b] = against("low"); return `Confidence ${a}, at least low ${b}, and in conflict with no other token taken.`; }
  if (tier === "nearby") { const [a, b] = against("relaxed"); return `Confidence ${a}, below high ${plain(settings.high)}, but within ${settings.radius} positions of one that reaches high, where relaxed ${b} is enough.`; }
  if (tier === "stable") { const [a, b] = against("kappa"); return `Confidence ${a}, above kappa ${b}, and its distribution has changed by less than epsilon ${plain(settings.epsilon)} in each of the last ${settings.history} steps.`; }
  if (tier === "ranked") return `Confidence ${number(c)}: it stands early enough in the ranking to be within the bound of the rule “${rule}”.`;
  if (tier === "forced" && settings.high === undefined) return `Confidence ${number(c)}, the first in the ranking: no other was within the bound of the rule “${rule}”, and a step takes at least one.`;
  if (tier === "forced") return `Confidence ${number(c)}: nothing reached a threshold, so the most confident position was taken.`;
  return `Confidence ${number(c)}, among the first in the ranking: the rule “${rule}” takes a fixed number per step.`;
}

function refusedStory(step, [p, reason, blocker, weight]) {
  const c = step.confidence[p], settings = step.decision.settings, by = blocker === null ? [] : [{ position: blocker }];
  const link = weight === null ? "" : ` by an edge of ${settings.edge === undefined ? number(weight) : edgeWords(weight, step.decision)}`;
  if (reason === "conflict") return [`Not taken. Confidence ${number(c)} would do, but it is in conflict with `, ...by, `${link}, which was taken first.`];
  if (reason === "dropped" && settings.low === undefined) return [`Not taken. Attention of ${pair(weight, level(settings.edge)).join(" > edge ")} joins it to `, ...by, ", which stood before it: its attention times its confidence is larger."];
  if (reason === "dropped") return [`Not taken. Confidence ${number(c)} would do, but it is in conflict with `, ...by, `${link}, which was more confident (${pair(step.confidence[blocker], c).join(" > ")}).`];
  if (reason === "outranked") return `Not taken. Confidence ${number(c)}: others stood before it in the ranking.`;
  if (reason === "unstable") { const [a, b] = pair(c, level(settings.kappa)); return `Not taken. Confidence ${a}, above kappa ${b}, but its distribution still changes by epsilon ${plain(settings.epsilon)} or more.`; }
  if (settings.kappa !== undefined) { const [a, b] = pair(c, level(settings.kappa)); return `Not taken. Confidence ${a}, not above kappa ${b}.`; }
  if (settings.factor !== undefined) return `Not taken. Confidence ${number(c)}, below what the factor rule asks of its rank.`;
  if (settings.relaxed !== undefined && c >= level(settings.relaxed)) { const [a, b] = pair(c, level(settings.relaxed)); return `Not taken. Confidence ${a} reaches relaxed ${b}, but nothing within ${settings.radius} positions reaches high ${plain(settings.high)}.`; }
  const bar = ["relaxed", "low", "induced", "high"].filter((name) => settings[name] !== undefined).sort((a, b) => settings[a] - settings[b])[0];
  const [a, b] = pair(c, level(settings[bar]));
  return c < level(settings[bar]) ? `Not taken. Confidence ${a}, below ${bar} ${b}, the lowest bar there is.` : `Not taken. Confidence ${a} reaches ${bar} ${b}, but no anchor supports it, and low is ${plain(settings.low)}.`;
}

function cellLine(ui, { position, other }) {
  const step = current(ui), row = step.rows.get(position);
  if (row === undefined || !step.attention) return make("span");
  const weight = step.attention[row * ui.run.header.length + other] / UNIT;
  return sentence(ui, [`It looks at `, { position: other }, ` with weight ${number(weight, 4)}.`]);
}

function planLine(ui, p) {
  const plan = proposal(ui);
  if (!plan) return "";
  if (plan.add.has(p)) return `With the thresholds set now it would be taken: ${ui.theme.looks[plan.decision.taken.get(p)[1]].label}.`;
  if (plan.drop.has(p)) return "With the thresholds set now it would not be taken here.";
  return "";
}

/** A button that writes this choice and decodes on; none where that is not possible. */
function use(ui, p, token) {
  if (!ui.locked || !editable(ui, p)) return [];
  const button = make("button", "dx-use", "Write"), text = ui.run.pieces[token] ?? "";
  Object.assign(button, { type: "button", title: `Write ${text} at ${p} before this step and decode again` });
  Object.assign(button.dataset, { do: "write", token, testid: "write" });
  button.setAttribute("aria-label", button.title);
  return [button];
}

/** The model's first choices at a window position, as bars. */
function chances(ui, p) {
  const step = current(ui), row = step.rows.get(p);
  if (row === undefined || !step.choices) return [];
  const k = step.choices.length / step.window.length, list = make("ol", "dx-chances");
  for (let i = row * k; i < (row + 1) * k; i++) {
    const value = step.probabilities[i], item = make("li", "", null, make("code", "", ui.run.pieces[step.choices[i]] ?? ""), make("span", "dx-share"), make("span", "", number(value)), ...use(ui, p, step.choices[i]));
    item.style.setProperty("--dx-share", value);
    list.append(item);
  }
  return [make("h4", "", "What the model would write here"), list];
}
