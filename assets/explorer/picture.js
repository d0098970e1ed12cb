/* A panel's picture as a file. PNG: what its canvases hold. SVG: the panel drawn once more, into elements instead of pixels. */

const PICTURES = {
  graph: { panel: "graph", paint: paintGraph, over: overGraph },
  attention: { panel: "map", paint: paintMap, over: overMap },
  received: { panel: "map", paint: paintMap, over: overMap, height: STRIP + GAP },
  timeline: { panel: "timeline", paint: (ui) => { ui.timelineFor = null; paintTimeline(ui); }, over: overTimeline },
};
const SVG = "http://www.w3.org/2000/svg", NO_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const pictureName = (ui, name, kind) => `dawn-step-${ui.at + 1}-${name}.${kind}`;

function savePicture(ui, { dataset: { do: kind, picture: name } }) {
  const canvas = find(ui, `.dx-${PICTURES[name].panel} .dx-base`);
  if (!canvas.width || find(ui, `.dx-${PICTURES[name].panel} .dx-off`)) return notice(ui, "There is no such picture of this step.");
  if (kind === "svg") return window.dawnParts.save(pictureName(ui, name, kind), new Blob([svgOf(ui, name)], { type: "image/svg+xml" }));
  pngOf(ui, name).toBlob((blob) => window.dawnParts.save(pictureName(ui, name, kind), blob), "image/png");
}

/** The panel's canvases on its ground. */
function pngOf(ui, name) {
  const { panel, height } = PICTURES[name], [base, over] = ["base", "over"].map((one) => find(ui, `.dx-${panel} .dx-${one}`));
  const sheet = document.createElement("canvas"), c = sheet.getContext("2d");
  Object.assign(sheet, { width: base.width, height: height ? Math.round(height * (window.devicePixelRatio || 1)) : base.height });
  c.fillStyle = palette(ui).panel;
  c.fillRect(0, 0, sheet.width, sheet.height);
  for (const one of [base, over]) if (one.width) c.drawImage(one, 0, 0);
  return sheet;
}

function svgOf(ui, name) {
  const { paint, over, height } = PICTURES[name], recorder = (ui.recorder = new Recorder());
  try {
    paint(ui);
    over(ui, selected(ui));
  } finally {
    ui.recorder = ui.timelineFor = null;
    redraw(ui);
  }
  return recorder.text(palette(ui).panel, height);
}

/** Takes the calls that a canvas would take, and keeps each as an element. */
class Recorder {
  constructor() {
    Object.assign(this, { root: document.createElementNS(SVG, "svg"), path: "", dash: [], turns: [], kept: [], globalAlpha: 1, lineWidth: 1, globalCompositeOperation: "source-over" });
  }

  /** What `fit` gives of a canvas. */
  area(width, height) {
    Object.assign(this, { width, height });
    return { c: this, width, height };
  }

  add(tag, attributes, text) {
    const element = document.createElementNS(SVG, tag), all = { ...attributes, transform: this.turns.join(" ") || null, opacity: this.globalAlpha === 1 ? null : this.globalAlpha };
    for (const [name, value] of Object.entries(all)) if (value !== null) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text.replace(NO_XML, "\ufffd");
    if (this.globalCompositeOperation === "destination-over") this.root.prepend(element);
    else this.root.append(element);
  }

  get filling() { return { fill: typeof this.fillStyle === "string" ? this.fillStyle : "url(#hatch)" }; }
  get stroking() { return { fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, "stroke-dasharray": this.dash.join(" ") || null }; }

  fillRect(x, y, width, height) { this.add("rect", { x, y, width, height, ...this.filling }); }
  strokeRect(x, y, width, height) { this.add("rect", { x, y, width, height, ...this.stroking }); }
  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${x} ${y}`; }
  lineTo(x, y) { this.path += `L${x} ${y}`; }
  quadraticCurveTo(a, b, x, y) { this.path += `Q${a} ${b} ${x} ${y}`; }
  arc(x, y, r) { this.path += `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`; } // whole circles are all that is drawn
  fill() { this.add("path", { d: this.path, ...this.filling }); }
  stroke() { this.add("path", { d: this.path, ...this.stroking }); }
  setLineDash(dash) { this.dash = dash; }
  save() { this.kept.push([...this.turns]); }
  restore() { this.turns = this.kept.pop(); }
  translate(x, y) { this.turns.push(`translate(${x} ${y})`); }
  rotate(angle) { this.turns.push(`rotate(${(angle * 180) / Math.PI})`); }
  createPattern(tile) { return { tile }; }
  drawImage(canvas, x, y, width, height) { this.add("image", { x, y, width, height, href: canvas.toDataURL(), preserveAspectRatio: "none", "image-rendering": "pixelated" }); }
  fillText(text, x, y) {
    const [, size, family] = /([\d.]+)px (.+)$/.exec(this.font), anchor = { left: "start", center: "middle", right: "end" }[this.textAlign];
    this.add("text", { x, y, "font-size": size, "font-family": family, "text-anchor": anchor, "dominant-baseline": "central", ...this.filling }, `${text}`);
  }

  /** The file, on a ground; height: where it is cut off. */
  text(ground, height = this.height) {
    const { width, root } = this, pattern = `<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="${ground}" fill-opacity="0.72"/><path d="M0 6L6 0" stroke="#9aa5b8"/></pattern>`;
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height })) root.setAttribute(name, value);
    const [head, ...rest] = new XMLSerializer().serializeToString(root).split(">");
    return `${head}><defs>${pattern}</defs><rect width="100%" height="100%" fill="${ground}"/>${rest.join(">")}`;
  }
}
