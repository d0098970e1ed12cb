/* Sinks over time: received attention by position and step. */

async function loadSinks(ui) {
  const plan = await fullPlan(ui), { trace } = ui, { body } = await ask(ui, "sinks", { trace, ...plan });
  const found = await unpack(body);
  if (trace !== ui.trace) return;
  ui.sinks = { ...found, rule: plan.rule };
  paintSinks(ui);
}

function paintSinks(ui) {
  const { counts, level, rule, received, length } = ui.sinks, steps = received.length / length;
  const many = counts.filter((one) => one[2] === steps).length;
  note(ui, "sinks", level === null ? `The rule ${rule} filters no sinks; this is the attention that was recorded.`
    : `${count(counts.length, "position")} ${counts.length === 1 ? "is" : "are"} a sink at some step with τ_sink = ${decimal(level, 4)}; ${many} at every step.`);
  table(ui, "sinks", ["Position", "Token", "Sink at", "Mean received", "Largest"], counts.slice(0, 100).map(([p, text, times, mean, largest]) => [go(p, `Select position ${p}`, null, p), code(text), `${times} of ${count(steps, "step")}`, decimal(mean), decimal(largest)]));
  paintSinkMap(ui);
}

const STRIP = 70;

/** The mean over steps as bars with the τ line, below it every step. Hatched: a sink at that step. */
function paintSinkMap(ui) {
  const { received, length, level, prompt } = ui.sinks, stage = part(ui, "sinks", ".ax-stage"), width = stage.clientWidth, steps = received.length / length;
  if (!width) return;
  const cell = clamp(300 / steps, 2, 14), w = (width - MARGIN.left - 4) / length, top = received.reduce((a, b) => Math.max(a, b), 0), y0 = STRIP + 8;
  const c = fit(stage.querySelector("canvas"), width, y0 + steps * cell + MARGIN.bottom), x = (p) => MARGIN.left + p * w, y = (k) => y0 + k * cell;
  ui.sinkMap = { cell, w, x, y, steps };
  c.clearRect(0, 0, width, y0 + steps * cell + MARGIN.bottom);
  heat(ui, c, received, length, top, [MARGIN.left, y0, length * w, steps * cell]);
  paintStrip(ui, c, { x, w, width });
  if (level !== null) hatchSinks(ui, c, { x, y, w, cell });
  c.fillStyle = colours(ui).accent;
  c.fillRect(x(prompt), STRIP + 2, 1.5, steps * cell + 6);
  for (const k of ticks(steps, (steps * cell) / 14)) label(ui, c, k + 1, MARGIN.left - 6, y(k) + cell / 2, "right");
  for (const p of ticks(length, (length * w) / 40)) label(ui, c, p, x(p) + w / 2, y(steps) + 10, "center");
  const key = [scaleKey(ui, top, "received"), swatch(ui, (k) => sinkInk(ui, k), "a sink at that step")];
  part(ui, "sinks", ".ax-key").replaceChildren(...(level === null ? key.slice(0, 1) : key), make("span", "", "bars: mean over the steps · orange upright: the answer begins"));
  markSinks(ui);
}

function paintStrip(ui, c, { x, w, width }) {
  const { received, length, level, counts } = ui.sinks, tones = colours(ui), steps = received.length / length, mean = new Float64Array(length), often = new Set(counts.map((one) => one[0]));
  received.forEach((value, i) => { mean[i % length] += value / steps; });
  const top = Math.max(level || 0, ...mean), tall = (value) => Math.sqrt(value / top) * (STRIP - 16);
  for (let p = 0; p < length; p++) {
    c.fillStyle = often.has(p) ? tones.conflict : tones.faint;
    c.fillRect(x(p), STRIP - tall(mean[p]), Math.max(1, w - (w > 3 ? 1 : 0)), tall(mean[p]));
  }
  if (level === null) return;
  c.fillStyle = tones.accent;
  c.fillRect(MARGIN.left, STRIP - tall(level), width - MARGIN.left - 4, 1.5);
  label(ui, c, `τ_sink ${decimal(level, 4)}`, width - 6, Math.max(8, STRIP - tall(level) - 8), "right", tones.accent);
}

function hatchSinks(ui, c, { x, y, w, cell }) {
  const { received, length, level } = ui.sinks, steps = received.length / length, bar = Math.fround(level);
  c.fillStyle = sinkInk(ui, c);
  for (let p = 0; p < length; p++) {
    for (let k = 0, start = -1; k <= steps; k++) {
      const sink = k < steps && received[k * length + p] > bar;
      if (sink && start < 0) start = k;
      if (!sink && start >= 0) { c.fillRect(x(p), y(start), Math.max(2, w), (k - start) * cell); start = -1; }
    }
  }
}

function sinkInk(ui, c) {
  const key = `${themeName(ui)} sink`, tones = colours(ui);
  if (ui.inks.has(key)) return ui.inks.get(key);
  const tile = Object.assign(document.createElement("canvas"), { width: 6, height: 6 }), t = tile.getContext("2d");
  t.globalAlpha = 0.45;
  t.fillStyle = tones.panel;
  t.fillRect(0, 0, 6, 6);
  t.globalAlpha = 1;
  t.strokeStyle = tones.ink;
  t.beginPath();
  t.moveTo(0, 6);
  t.lineTo(6, 0);
  t.stroke();
  ui.inks.set(key, c.createPattern(tile, "repeat"));
  return ui.inks.get(key);
}

function markSinks(ui) {
  const map = ui.sinkMap;
  if (!map) return;
  mark(part(ui, "sinks", ".ax-row"), ui.at < map.steps ? [MARGIN.left, map.y(ui.at), ui.sinks.length * map.w, map.cell] : null);
  mark(part(ui, "sinks", ".ax-column"), ui.position === null ? null : [map.x(ui.position), map.y(0), Math.max(2, map.w), map.steps * map.cell]);
}

function buildSinks(ui) {
  const stage = part(ui, "sinks", ".ax-stage"), read = part(ui, "sinks", ".ax-read");
  const cell = (event) => {
    const map = ui.sinkMap, [x, y] = inside(event, stage), p = Math.floor((x - MARGIN.left) / map.w), k = Math.floor((y - map.y(0)) / map.cell);
    return p >= 0 && p < ui.sinks.length && k < map.steps ? [p, k] : null;
  };
  stage.addEventListener("click", (event) => { const hit = ui.sinkMap && cell(event); if (hit) visit(hit[1] < 0 ? null : hit[1], hit[0]); });
  stage.addEventListener("pointermove", (event) => {
    const hit = ui.sinkMap && cell(event);
    read.textContent = hit && hit[1] >= 0 ? `step ${hit[1] + 1}, position ${hit[0]}: receives ${decimal(ui.sinks.received[hit[1] * ui.sinks.length + hit[0]], 5)}` : "";
  });
}
