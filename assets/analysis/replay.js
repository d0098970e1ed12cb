/* What if, over the whole run: every recorded step decided again with the settings as they are now. */

/** What is left out of a proposal for the run's own rule is as the run had it. */
async function fullPlan(ui) {
  const own = await ownSettings(ui), wanted = ui.plan || { rule: own.rule, settings: {} };
  return wanted.rule === own.rule ? { rule: own.rule, settings: { ...own.settings, ...wanted.settings } } : wanted;
}

async function ownSettings(ui) {
  const { trace } = ui;
  if (!ui.own || ui.own.trace !== trace) ui.own = { trace, ...(await ask(ui, "settings", { trace })) };
  return ui.own;
}

/** At most one question in flight, the latest wins. */
async function loadReplay(ui) {
  if (ui.asking) { ui.again = true; return; }
  ui.asking = true;
  try {
    const plan = await fullPlan(ui), { trace } = ui, started = plan.settings;
    const answer = await ask(ui, "replay", { trace, ...plan });
    if (trace === ui.trace) ui.replay = { ...answer, rule: plan.rule, settings: started, differs: !(plan.rule === ui.own.rule && same(sorted(plan.settings), sorted(ui.own.settings))) };
  } finally {
    ui.asking = false;
    if (ui.again) { ui.again = false; refresh(ui, "replay"); }
  }
  if (ui.replay) paintReplay(ui);
}

const sorted = (settings) => Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));

function paintReplay(ui) {
  const { steps, differs, settings, rule } = ui.replay, sum = (i) => steps.reduce((all, one) => all + one[i], 0), [then, now, added, dropped, right] = range(5).map(sum);
  const changes = `${added} more${added ? `, of which ${right} (${percent(right / added)}) are as the run finally wrote them` : ""}; ${dropped} fewer`;
  note(ui, "replay", differs ? `Rule ${rule}, over ${count(steps.length, "step")}: ${changes}. ${(now / steps.length).toFixed(2)} tokens per step instead of ${(then / steps.length).toFixed(2)}.`
    : "These are the settings of this run. Move a threshold or choose another rule: all steps are decided again at once.", differs ? "differs" : "recorded");
  Object.assign(part(ui, "replay", ".ax-note").dataset, { settings: JSON.stringify(settings), rule, added, dropped, right });
  paintBars(ui);
  if (part(ui, "replay", ".ax-more").open) replayTable(ui);
}

function replayTable(ui) {
  const heads = ["Step", "Recorded", "Would take", "More", "as finally written", "Fewer"];
  table(ui, "replay", heads, ui.replay.steps.map(([then, now, added, dropped, right], k) => [go(k + 1, `Show step ${k + 1}`, k, null), then, now, added, right, dropped]));
}

const BARS = { kept: "kept", right: "more, as the run finally wrote", wrong: "more, unlike what the run finally wrote", dropped: "fewer" };

/** Kept and added tokens stand up, dropped ones hang down. */
function paintBars(ui) {
  const { steps } = ui.replay, stage = part(ui, "replay", ".ax-stage"), width = stage.clientWidth, height = 190;
  if (!width) return;
  const up = Math.max(1, ...steps.map(([, now]) => now)), down = Math.max(0, ...steps.map((one) => one[3])), unit = (height - 40) / (up + down);
  const c = fit(stage.querySelector("canvas"), width, height), pitch = (width - MARGIN.left - 8) / steps.length, base = 16 + up * unit, bar = Math.max(1, pitch * 0.78);
  ui.bars = { pitch, height, x: (k) => MARGIN.left + k * pitch };
  c.clearRect(0, 0, width, height);
  steps.forEach(([, now, added, dropped, right], k) => {
    const x = ui.bars.x(k) + (pitch - bar) / 2;
    let y = base;
    for (const [name, n] of [["kept", now - added], ["right", right], ["wrong", added - right]]) {
      c.fillStyle = barInk(ui, c, name);
      c.fillRect(x, (y -= n * unit), bar, n * unit);
    }
    c.fillStyle = barInk(ui, c, "dropped");
    c.fillRect(x, base, bar, dropped * unit);
  });
  paintBarAxes(ui, c, { base, unit, up, down, width, height, pitch, steps });
  part(ui, "replay", ".ax-key").replaceChildren(...Object.entries(BARS).map(([name, text]) => swatch(ui, (k) => barInk(ui, k, name), text)));
  markBars(ui);
}

function paintBarAxes(ui, c, { base, unit, up, down, width, height, pitch, steps }) {
  c.fillStyle = colours(ui).soft;
  c.fillRect(MARGIN.left, base - 0.5, width - MARGIN.left, 1);
  for (const n of ticks(up + 1, 5)) label(ui, c, n, MARGIN.left - 6, base - n * unit, "right");
  if (down) label(ui, c, `−${down}`, MARGIN.left - 6, base + down * unit, "right");
  for (const k of ticks(steps.length, (width - MARGIN.left) / 40)) label(ui, c, k + 1, MARGIN.left + (k + 0.5) * pitch, height - 8, "center");
  label(ui, c, "tokens of the step", MARGIN.left + 4, 6);
  label(ui, c, "step", 0, height - 8);
}

/** Fills of the bars: told apart by pattern too. */
function barInk(ui, c, name) {
  const tones = colours(ui), tone = { kept: tones.faint, right: tones.added, wrong: tones.conflict, dropped: tones.dropped }[name], key = `${themeName(ui)} bar ${name}`;
  if (name === "kept" || name === "right") return tone;
  if (ui.inks.has(key)) return ui.inks.get(key);
  const tile = Object.assign(document.createElement("canvas"), { width: 6, height: 6 }), t = tile.getContext("2d");
  t.strokeStyle = tone;
  t.lineWidth = name === "wrong" ? 2.5 : 1;
  t.strokeRect(-1, -1, 8, 8);
  for (const [x, y, u, v] of name === "wrong" ? MARKS.stripes : MARKS.lines) { t.beginPath(); t.moveTo(x, y); t.lineTo(u, v); t.stroke(); }
  ui.inks.set(key, c.createPattern(tile, "repeat"));
  return ui.inks.get(key);
}

const markBars = (ui) => ui.bars && mark(part(ui, "replay", ".ax-column"), [ui.bars.x(ui.at), 0, ui.bars.pitch, ui.bars.height - 16]);
