/* The timeline: over the steps, tokens by tier, the step in which each position was written, and the confidence of the selected
   position. The base is drawn once per run; a step moves only the cursor above it. */

const TALL = 56, SPREAD = 150, PATH = 104, SPACE = 22; // heights of the three pictures, and what is between them

function timelineShape(ui) {
  const stage = find(ui, ".dx-timeline .dx-stage"), spread = tall(ui, "timeline", TALL + SPREAD + PATH + 3 * SPACE) - TALL - PATH - 3 * SPACE;
  return { stage, spread, height: TALL + spread + PATH + 3 * SPACE, top: TALL + SPACE, path: TALL + spread + 2 * SPACE };
}

function paintTimeline(ui) {
  const shape = timelineShape(ui), key = [ui.run.id, ui.run.steps.length, widthOf(ui, shape.stage), palette(ui).name, shape.height].join();
  if (ui.timelineFor !== key) {
    const area = fit(ui, shape.stage.querySelector(".dx-base"), shape.height);
    if (!area) return;
    ui.timelineFor = key;
    const steps = ui.run.steps.length, pitch = (area.width - GUTTER - EDGE) / steps;
    ui.line = { ...shape, pitch, steps, width: area.width, x: (k) => GUTTER + (k + 0.5) * pitch, y: (p) => shape.top + ((p - ui.run.header.prompt) / Math.max(1, ui.run.header.length - ui.run.header.prompt)) * shape.spread };
    paintCounts(ui, area);
    paintWritten(ui, area);
    paintScale(ui, area.c);
  }
}

/** Tokens per step, stacked by tier. */
function paintCounts(ui, area) {
  const { steps } = ui.run, most = Math.max(...steps.map((step) => step.decision.committed.length));
  steps.forEach((step, k) => bar(ui, { c: area.c, height: TALL }, ui.line.x(k), clamp(ui.line.pitch * 0.8, 1, 22), step, most));
  label(ui, area.c, most, GUTTER - 5, 9, palette(ui).soft, "right");
}

/** One mark per written position: across, its step; down, its place in the answer. */
function paintWritten(ui, { c }) {
  const { came, tier, header } = ui.run, { x, y, pitch, spread } = ui.line, colours = palette(ui);
  const high = clamp(spread / Math.max(1, header.length - header.prompt), 1.5, 8), wide = clamp(pitch * 0.8, 2, 14);
  for (let p = header.prompt; p < came.length; p++) {
    if (came[p] < 0) continue;
    c.fillStyle = colours[tier[p]];
    c.fillRect(x(came[p]) - wide / 2, y(p), wide, high);
  }
}

function paintScale(ui, c) {
  const { top, spread, path, steps, width, x, y, height } = ui.line, colours = palette(ui), { header } = ui.run;
  for (const start of [top, path]) stroke(c, colours.line, [[GUTTER, start + (start === top ? spread : PATH) + 1], [width - EDGE, start + (start === top ? spread : PATH) + 1]]);
  for (let p = header.prompt; p < header.length; p += header.block) label(ui, c, p, GUTTER - 5, y(p) + 5, colours.soft, "right");
  for (const [value, name] of [[1, "1"], [0, "0"]]) label(ui, c, name, GUTTER - 5, path + (1 - value) * PATH, colours.soft, "right");
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => (n * width) / steps > 34) || 1000;
  for (let k = 0; k < steps; k += every) label(ui, c, k + 1, x(k), height - 8, colours.soft, "center");
  label(ui, c, "tokens per step", GUTTER + 2, 6, colours.soft, "left");
  label(ui, c, "written in step", GUTTER + 2, top - 9, colours.soft, "left");
  label(ui, c, "confidence of the selected position", GUTTER + 2, path - 9, colours.soft, "left");
}

// ---------------------------------------------------------------- what moves
function overTimeline(ui, selection) {
  if (!ui.line) return;
  const area = fit(ui, find(ui, ".dx-timeline .dx-over"), ui.line.height);
  if (!area) return;
  const { c } = area, { x, y, height, pitch, width } = ui.line, colours = palette(ui);
  c.fillStyle = colours.select;
  c.globalAlpha = 0.22;
  c.fillRect(x(ui.at) - Math.max(1.5, pitch / 2), 0, Math.max(3, pitch), height - SPACE + 6);
  c.globalAlpha = 1;
  if (!selection) return;
  if (selection.position >= ui.run.header.prompt) stroke(c, colours.select, [[GUTTER, y(selection.position) + 1.5], [width - EDGE, y(selection.position) + 1.5]], [3, 3]);
  paintPath(ui, c, selection.position);
}

/** Confidence of a position at every step that knows it. */
function trajectory(ui, p) {
  return ui.run.steps.map((step, k) => [k, step.confidence[p]]).filter(([, value]) => value >= 0);
}

function paintPath(ui, c, p) {
  const { x, path, width, pitch } = ui.line, colours = palette(ui), points = trajectory(ui, p), y = (value) => path + (1 - value) * PATH, { settings } = current(ui).decision;
  const bars = ["high", "low", "induced", "kappa", "relaxed"].filter((name) => settings[name] <= 1);
  bars.forEach((name, i) => {
    stroke(c, colours.faint, [[GUTTER, y(settings[name])], [width - EDGE, y(settings[name])]], [2, 4]);
    label(ui, c, name, width - EDGE - 48 * i, y(settings[name]) + 6, colours.soft, "right");
  });
  if (points.length) stroke(c, colours.ink, points.map(([k, value]) => [x(k), y(value)]), [], 1.8);
  const radius = clamp(pitch / 3, 1.5, 3.5);
  for (const [k, value] of points) {
    const taken = ui.run.came[p] === k;
    c.fillStyle = taken ? colours[ui.run.tier[p]] : colours.ink;
    c.beginPath();
    c.arc(x(k), y(value), taken ? 5 : radius, 0, 7);
    c.fill();
  }
}

/** The same as text, for those who do not see the picture. */
function paintTrajectory(ui, selection) {
  const box = find(ui, "[data-testid=trajectory]"), points = selection ? trajectory(ui, selection.position) : [];
  const words = !selection ? "Select a position to see how sure the model was of it over the steps." : trajectoryWords(ui, selection.position, points);
  if (box.textContent !== words) box.textContent = words;
}

function trajectoryWords(ui, p, points) {
  if (!points.length) return `Position ${p}: no step recorded a confidence.`;
  const [first, last] = [points[0], points[points.length - 1]], least = points.reduce((a, b) => (b[1] < a[1] ? b : a)), came = ui.run.came[p];
  const taken = came >= 0 ? `; written in step ${came + 1}` : "";
  return `Position ${p}: ${number(first[1])} in step ${first[0] + 1}, least ${number(least[1])} in step ${least[0] + 1}, ${number(last[1])} in step ${last[0] + 1}${taken}.`;
}

/** What is under the pointer: a step, and the position that was written there if there is one. */
function timelineAt(ui, x, y) {
  if (!ui.line || x < GUTTER) return null;
  const { pitch, steps, top, spread } = ui.line, { header, came } = ui.run, k = clamp(Math.floor((x - GUTTER) / pitch), 0, steps - 1);
  const rows = header.length - header.prompt, p = header.prompt + Math.floor(((y - top) / spread) * rows);
  const position = y < top || y >= top + spread ? null : [p, p - 1, p + 1].find((one) => came[one] === k) ?? null;
  return { step: k, selection: position === null ? null : { position, other: null }, text: `step ${k + 1}${position === null ? "" : `: ${position} “${textAt(ui, position)}”`}` };
}
