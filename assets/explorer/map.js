/* The attention panel: received attention, and the rows of the block. */

const STRIP = 66, GUTTER = 34, EDGE = 6, GAP = 16;

function paintMap(ui) {
  const step = current(ui), stage = find(ui, ".dx-map .dx-stage"), none = stage.querySelector(".dx-none");
  none.hidden = Boolean(step.attention);
  stage.classList.toggle("dx-off", !step.attention);
  ui.map = null;
  if (!step.attention) {
    none.textContent = `No attention was recorded in this run: the rule “${ui.run.header.rule}” decides without it.`;
    return;
  }
  const rows = step.window.length, cell = clamp(Math.floor(300 / rows), 3, 14);
  const area = fit(ui, stage.querySelector(".dx-base"), STRIP + GAP + rows * cell + 18);
  if (!area) return;
  const columns = ui.run.header.length, width = (area.width - GUTTER - EDGE) / columns;
  ui.map = { rows, columns, cell, width, x: (p) => GUTTER + p * width, y: (r) => STRIP + GAP + r * cell };
  paintStrip(ui, area, step);
  paintCells(ui, area, step);
  paintMarks(ui, area, step);
}

function paintCells(ui, area, step) {
  const { rows, columns, cell, width } = ui.map, lut = palette(ui).lut, image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer), weights = step.attention;
  for (let i = 0; i < weights.length; i++) pixels[i] = lut[Math.min(255, Math.sqrt(weights[i] / 2500) * 255) | 0];
  const small = (ui.small = ui.small || document.createElement("canvas"));
  if (small.width !== columns || small.height !== rows) Object.assign(small, { width: columns, height: rows });
  small.getContext("2d").putImageData(image, 0, 0);
  area.c.imageSmoothingEnabled = false;
  area.c.drawImage(small, GUTTER, STRIP + GAP, columns * width, rows * cell);
}

/** Received attention, the sink line, and which columns are beyond it. Square-root scale: sinks would flatten the rest. */
function paintStrip(ui, area, step) {
  const { c } = area, colours = palette(ui), { width, columns, x } = ui.map, decision = decided(ui);
  const line = decision.sinkLevel, top = Math.max(...step.received, line === null || line > 1 ? 0 : line);
  const height = (value) => Math.sqrt(value / top) * (STRIP - 14);
  for (let p = 0; p < columns; p++) {
    const h = height(step.received[p]);
    c.fillStyle = decision.sinks.has(p) ? colours.conflict : colours.faint;
    c.fillRect(x(p), STRIP - h, Math.max(1, width - (width > 3 ? 1 : 0)), h);
  }
  if (line === null || line > top) return;
  const y = STRIP - height(line);
  stroke(c, colours.accent, [[GUTTER, y], [area.width - EDGE, y]], [5, 3]);
  label(ui, c, `τ_sink ${plain(Number(line.toPrecision(3)))}`, area.width - EDGE, Math.max(9, y - 5), colours.accent, "right");
}

function paintMarks(ui, area, step) {
  const { c } = area, colours = palette(ui), { rows, columns, cell, width, x, y } = ui.map, header = ui.run.header;
  c.fillStyle = hatch(ui, c);
  for (const p of decided(ui).sinks) c.fillRect(x(p), y(0), Math.max(2, width), rows * cell);
  for (let p = header.prompt; p < columns; p += header.block) stroke(c, p === header.prompt ? colours.accent : colours.faint, [[x(p), STRIP + 3], [x(p), y(rows)]], p === header.prompt ? [] : [2, 3]);
  if (width >= 3 && decided(ui).graph) edgeCells(c, colours, ui.map, step, decided(ui).graph);
  for (let r = 0; r < rows; r += Math.max(1, Math.ceil(11 / cell))) label(ui, c, step.window[r], GUTTER - 5, y(r) + cell / 2, colours.soft, "right");
  const every = [8, 16, 32, 64, 128].find((n) => n * width > 26) || 256;
  for (let p = 0; p < columns; p += every) label(ui, c, p, x(p) + width / 2, y(rows) + 10, colours.soft, "center");
  label(ui, c, "prompt", x(0), STRIP + 8, colours.soft, "left");
  label(ui, c, "answer", x(header.prompt) + 4, STRIP + 8, colours.accent, "left");
}

function edgeCells(c, colours, map, step, graph) {
  c.strokeStyle = colours.accent;
  c.lineWidth = 1;
  for (let i = 0; i < graph.source.length; i++) {
    const row = step.rows.get(graph.target[i]);
    c.strokeRect(map.x(graph.source[i]) + 0.5, map.y(row) + 0.5, Math.max(2, map.width - 1), map.cell - 1);
  }
}

function hatch(ui, c) {
  const colours = palette(ui);
  if (ui.hatchFor === colours.name) return ui.hatch;
  const tile = document.createElement("canvas"), t = tile.getContext("2d");
  Object.assign(tile, { width: 6, height: 6 });
  t.fillStyle = colours.panel;
  t.globalAlpha = 0.72;
  t.fillRect(0, 0, 6, 6);
  t.globalAlpha = 1;
  stroke(t, colours.sink, [[0, 6], [6, 0]]);
  ui.hatchFor = colours.name;
  return (ui.hatch = c.createPattern(tile, "repeat"));
}

function stroke(c, colour, points, dash = [], width = 1) {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.setLineDash(dash);
  c.beginPath();
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.stroke();
  c.setLineDash([]);
}

function label(ui, c, text, x, y, colour, align) {
  c.font = `10px ${ui.theme.font}`;
  c.fillStyle = colour;
  c.textAlign = align;
  c.textBaseline = "middle";
  c.fillText(text, x, y);
}
