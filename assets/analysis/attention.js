/* Attention of one layer or head, by one forward pass when somebody asks, beside the average that DAWN uses. */

async function loadModel(ui) {
  const { trace } = ui, state = await ask(ui, "model", { trace });
  if (trace !== ui.trace) return;
  find(ui, "[data-do=look]").disabled = !state.ready;
  for (const select of ui.panels.attention.querySelectorAll("select")) select.disabled = !state.ready;
  note(ui, "attention", state.words, state.ready ? "ready" : "off");
  if (!state.ready) return;
  fillOptions(find(ui, "[data-choice=layer]"), range(state.layers).map((i) => [String(i), `${i + 1} of ${state.layers}`]));
  fillOptions(find(ui, "[data-choice=head]"), [["", "mean of all"], ...range(state.heads).map((i) => [String(i), `${i + 1} of ${state.heads}`])]);
  paintStale(ui);
}

function look(ui) {
  const head = find(ui, "[data-choice=head]").value;
  note(ui, "attention", "Waiting for the model …", "waiting");
  ui.tools.trigger(ui.tools.look, { trace: ui.trace, step: ui.at, layer: Number(find(ui, "[data-choice=layer]").value), head: head === "" ? null : Number(head) });
}

async function receiveLook(ui) {
  const value = ui.tools.props.value || {};
  if (value.waiting) return note(ui, "attention", value.waiting, "waiting");
  if (value.error) return note(ui, "attention", `No answer: ${value.error}`, "error");
  if (!value.body || value.trace !== ui.trace) return;
  const found = await unpack(value.body);
  ui.look = { ...value, ...found };
  paintLook(ui);
}

const BRIGHT = 2500; // ten-thousandths from which a cell has the last colour
const chosenName = (one) => `Layer ${one.layer + 1}, ${one.head === null ? "mean of its heads" : `head ${one.head + 1}`}`;

function paintLook(ui) {
  const one = ui.look, figures = ui.panels.attention.querySelectorAll("figure"), names = [chosenName(one), "The average that DAWN uses"];
  part(ui, "attention", ".ax-key").replaceChildren(scaleKey(ui, BRIGHT / UNIT, "and more"), swatch(ui, (c) => sinkInk(ui, c), "sink"), make("span", "", "outlined: an edge of the graph"));
  ["chosen", "average"].forEach((key, i) => {
    figures[i].querySelector("figcaption").textContent = `${names[i]}: ${count(one[key].source.length, "edge")}, ${count(one[key].sinks.length, "sink")}`;
    paintMap(ui, figures[i], one, one[key]);
  });
  paintEdges(ui);
  paintStale(ui);
}

function paintStale(ui) {
  const one = ui.look;
  if (!one) return;
  const stale = one.step !== ui.at ? ` Another step is shown now: look again for step ${ui.at + 1}.` : "";
  note(ui, "attention", `Step ${one.step + 1}, ${chosenName(one).toLowerCase()}. Edges as the rule ${one.rule} would draw them (τ_edge ${decimal(one.edge, 3)}).${stale}`, "shown");
  Object.assign(part(ui, "attention", ".ax-note").dataset, { step: one.step, layer: one.layer, head: one.head === null ? "" : one.head });
}

function paintMap(ui, figure, one, { map, source, target, sinks }) {
  const stage = figure.querySelector(".ax-stage"), side = Math.min(stage.clientWidth - MARGIN.left - 4, 460), cell = side / one.length, tones = colours(ui);
  if (side <= 0) return;
  const c = fit(stage.querySelector("canvas"), side + MARGIN.left + 4, side + MARGIN.bottom + 6), x = (p) => MARGIN.left + p * cell, y = (p) => 4 + p * cell;
  ui.maps.set(stage, { cell, map });
  c.clearRect(0, 0, side + MARGIN.left + 4, side + 40);
  heat(ui, c, map, one.length, BRIGHT, [MARGIN.left, 4, side, side]);
  c.fillStyle = sinkInk(ui, c);
  for (const p of sinks) c.fillRect(x(p), 4, Math.max(1.5, cell), side);
  c.strokeStyle = tones.accent;
  const pad = cell < 4 ? 1 : 0;
  source.forEach((from, i) => c.strokeRect(x(from) - pad, y(target[i]) - pad, Math.max(cell, 2) + pad, Math.max(cell, 2) + pad));
  c.strokeStyle = tones.select;
  if (ui.position !== null) c.strokeRect(MARGIN.left, y(ui.position) - 1, side, cell + 2);
  for (const p of ticks(one.length, side / 36)) { label(ui, c, p, MARGIN.left - 5, y(p) + cell / 2, "right"); label(ui, c, p, x(p) + cell / 2, side + 14, "center"); }
}

/** Edges into the selected position, of both graphs. */
function paintEdges(ui) {
  const one = ui.look, p = ui.position, into = ({ source, target, weight }) => new Map([...source].flatMap((from, i) => (target[i] === p ? [[from, weight[i]]] : [])));
  const [mine, usual] = [into(one.chosen), into(one.average)], all = [...new Set([...mine.keys(), ...usual.keys()])].sort((a, b) => a - b);
  const cell = (edges, from) => (edges.has(from) ? decimal(edges.get(from)) : "none");
  part(ui, "attention", ".ax-read").textContent = p === null ? "Select a position to see the edges into it." : `Into position ${p}: ${count(mine.size, "edge")} from this map alone, ${usual.size} from the average.`;
  table(ui, "attention", ["Depends on", chosenName(one), "The average"], all.map((from) => [go(from, `Select position ${from}`, null, from), cell(mine, from), cell(usual, from)]));
}

function buildAttention(ui) {
  find(ui, "[data-do=look]").addEventListener("click", () => look(ui));
  for (const stage of ui.panels.attention.querySelectorAll(".ax-stage")) {
    const hit = (event) => {
      const found = ui.maps.get(stage), [x, y] = inside(event, stage), key = found && Math.floor((x - MARGIN.left) / found.cell), query = found && Math.floor((y - 4) / found.cell);
      return found && key >= 0 && query >= 0 && key < ui.look.length && query < ui.look.length ? { key, query, weight: found.map[query * ui.look.length + key] / UNIT } : null;
    };
    stage.addEventListener("pointermove", (event) => { const at = hit(event); stage.title = at ? `row ${at.query} → column ${at.key}: ${decimal(at.weight)}` : ""; });
    stage.addEventListener("click", (event) => { const at = hit(event); if (at) visit(null, at.query); });
  }
}
