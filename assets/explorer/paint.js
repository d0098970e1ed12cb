/* When to draw, and what all canvases share: size, colours, the bars behind the scrubber. */

function redraw(ui, overlayOnly = false) {
  ui.full = ui.full || !overlayOnly;
  if (ui.frame) return;
  ui.frame = requestAnimationFrame(() => {
    ui.frame = null;
    const full = ui.full;
    ui.full = false;
    paint(ui, full);
  });
}

/** Draw everything of the shown step, then say in the attributes which one it is. Canvases come before elements: writing text on a
    canvas settles the page's style, which is cheap only while nothing has changed yet. */
function paint(ui, full) {
  if (!current(ui)) return;
  if (full) for (const part of [paintBars, paintMap, paintGraph, paintTimeline]) part(ui);
  overlay(ui);
  if (full) for (const part of [paintTokens, paintFacts, paintFigures, paintPlan]) part(ui);
  paintSelection(ui);
  ui.root.classList.remove("dx-unpainted");
  ui.root.dataset.steps = ui.run.steps.length;
  ui.root.dataset.step = ui.at;
  announceStep(ui);
  announceSelection(ui);
}

/** Tell other components which step is painted, once per change. */
function announceStep(ui) {
  const detail = { trace: ui.run.id, step: ui.at, steps: ui.run.steps.length };
  if (same(detail, ui.painted)) return;
  ui.painted = detail;
  window.dawnAddress.changed();
  ui.root.dispatchEvent(new CustomEvent("dawn:step", { detail, bubbles: true }));
}

function paintFacts(ui) {
  const step = current(ui), counts = {};
  for (const [, tier] of step.decision.committed) counts[tier] = (counts[tier] || 0) + 1;
  const parts = ui.theme.tiers.filter((tier) => counts[tier]).map((tier) => `${counts[tier]} ${ui.theme.looks[tier].label}`);
  const total = step.decision.committed.length, blocks = Math.ceil((ui.run.header.length - ui.run.header.prompt) / ui.run.header.block);
  const confidences = step.decision.committed.map(([p]) => step.confidence[p]);
  const lines = [
    `Step ${step.index + 1} of ${ui.run.steps.length}`, `block ${step.block + 1} of ${blocks}`,
    `${total} token${total === 1 ? "" : "s"}: ${parts.join(", ")}`, `least confident ${number(Math.min(...confidences))}`,
    `forward ${milliseconds(step.seconds[0])}, decision ${milliseconds(step.seconds[2])}`,
  ];
  if (step.filled.length) lines.splice(3, 0, `${step.filled.length} filled after the end, ${[...new Set(step.saved)].join(" to ")} forward passes saved`);
  const facts = find(ui, ".dx-facts");
  facts.replaceChildren(...lines.map((line, i) => make("span", i ? "" : "dx-big", line)));
  find(ui, "[data-testid=scrubber]").setAttribute("aria-valuetext", lines.slice(0, 3).join(", "));
}

const milliseconds = (seconds) => (seconds < 0.01 ? `${(seconds * 1000).toFixed(1)} ms` : `${Math.round(seconds * 1000)} ms`);

// ---------------------------------------------------------------- drawing: canvases
/** Width of a box, measured once until something is resized: measuring amid changes would lay the page out again. */
function widthOf(ui, box) {
  if (!ui.widths.get(box)) ui.widths.set(box, box.clientWidth);
  return ui.widths.get(box);
}

/** The context of a canvas fitted to its box, in CSS pixels; null if it has no size now. */
function fit(ui, canvas, height) {
  const width = widthOf(ui, canvas.parentElement), ratio = window.devicePixelRatio || 1;
  if (!width) return null;
  if (ui.recorder) return ui.recorder.area(width, height);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    Object.assign(canvas, { width: w, height: h });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  }
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  return { c, width, height };
}

/** The height of a panel's canvas; alone on the screen it takes what is left of it. */
function tall(ui, panel, height) {
  return ui.root.dataset.solo === panel ? Math.max(height, window.innerHeight - 330) : height;
}

/** Colours of the page's theme; the ramp as 256 packed pixels. Read again only when the theme changes. */
function palette(ui) {
  const name = ui.root.closest(".dark") ? "dark" : "light";
  if (!ui.palette || ui.palette.name !== name) {
    const { colours, ramp } = ui.theme.themes[name];
    ui.palette = { name, ...colours, lut: lut(ramp) };
  }
  return ui.palette;
}

function lut(stops) {
  const rgb = stops.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (rgb.length - 1), low = Math.min(Math.floor(place), rgb.length - 2), share = place - low;
    const [r, g, b] = [0, 1, 2].map((k) => Math.round(rgb[low][k] + (rgb[low + 1][k] - rgb[low][k]) * share));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}

/** Tokens per step, stacked by tier, behind the scrubber. Only drawn anew when steps, width or theme changed. */
function paintBars(ui) {
  const key = [ui.run.steps.length, widthOf(ui, find(ui, ".dx-scrub")), palette(ui).name].join();
  if (ui.barsFor === key) return;
  const area = fit(ui, find(ui, ".dx-bars"), 44);
  if (!area) return;
  ui.barsFor = key;
  const steps = ui.run.steps, most = Math.max(...steps.map((step) => step.decision.committed.length));
  const pitch = (area.width - THUMB) / Math.max(1, steps.length - 1);
  steps.forEach((step, k) => bar(ui, area, THUMB / 2 + k * pitch, clamp(pitch * 0.72, 1, 18), step, most));
}

function bar(ui, area, x, width, step, most) {
  const unit = (area.height - 6) / most, colours = palette(ui);
  let y = area.height;
  for (const tier of ui.theme.tiers) {
    const count = step.decision.committed.filter((one) => one[1] === tier).length;
    if (!count) continue;
    area.c.fillStyle = colours[tier];
    area.c.fillRect(x - width / 2, y - count * unit, width, count * unit - (unit > 3 ? 0.5 : 0));
    y -= count * unit;
  }
}
