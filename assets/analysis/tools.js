/* Small tools of the analysis panels: asking, drawing, cells that lead somewhere. The files of this folder share one scope with the
   explorer's tools.js: viz/components/analysis.py joins them. */

const QUIET = 350; // ms without a new step before a panel asks again
const PAGE = 50; // rows of a table
const LARGEST_SIDE = 8000; // pixels of a canvas
const MARGIN = { left: 40, top: 4, bottom: 20 };


const part = (ui, name, selector) => ui.panels[name].querySelector(selector);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const decimal = (value, digits = 4) => (Number.isFinite(value) ? value.toFixed(digits).replace(/^0\./, ".") : "");
const percent = (share) => `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;
const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function draw(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** What the server answers; an Error if it has none. */
async function ask(ui, name, request) {
  const answer = await ui.tools.server[name](request);
  if (answer.error) throw new Error(answer.error);
  return answer;
}

function note(ui, name, text, state = "") {
  const box = part(ui, name, ".ax-note");
  if (box.textContent !== text) box.textContent = text;
  box.dataset.state = state;
}


const colours = (ui) => ui.theme.themes[ui.root.closest(".dark") ? "dark" : "light"].colours;
const themeName = (ui) => (ui.root.closest(".dark") ? "dark" : "light");

/** The context of a canvas of that many CSS pixels; large ones are not drawn finer than the screen needs. */
function fit(canvas, width, height) {
  const ratio = width * height > 3e6 ? 1 : window.devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  return c;
}

function label(ui, c, text, x, y, align = "left", colour = colours(ui).soft) {
  c.font = `11px ${ui.theme.font}`;
  Object.assign(c, { fillStyle: colour, textAlign: align, textBaseline: "middle" });
  c.fillText(text, x, y);
}

const MARKS = {
  stripes: [[0, 6, 6, 0]], cross: [[0, 6, 6, 0], [0, 0, 6, 6]], lines: [[0, 2, 6, 2], [0, 5, 6, 5]], bars: [[2, 0, 2, 6], [5, 0, 5, 6]],
  grid: [[3, 0, 3, 6], [0, 3, 6, 3]], checks: [[0, 0, 6, 6]],
};

/** The fill of an outcome: tiers light on their colour, refusals coloured on a pale ground. */
function ink(ui, c, name) {
  const look = ui.theme.ledger[name], theme = themeName(ui), key = `${theme} ${name}`, tones = colours(ui);
  if (ui.inks.has(key)) return ui.inks.get(key);
  const tile = document.createElement("canvas"), t = tile.getContext("2d"), pale = ui.theme.refusals.includes(name);
  Object.assign(tile, { width: 6, height: 6 });
  const ground = pale && look.pattern !== "plain" ? ui.theme.ledger.below[theme] : look[theme];
  t.fillStyle = ground;
  t.fillRect(0, 0, 6, 6);
  t.fillStyle = t.strokeStyle = pale ? look[theme] : tones.fresh;
  if (look.pattern === "dots") t.fillRect(2, 2, 2.4, 2.4);
  for (const [x, y, u, v] of MARKS[look.pattern] || []) {
    t.beginPath();
    t.moveTo(x, y);
    t.lineTo(u, v);
    t.stroke();
  }
  ui.inks.set(key, c.createPattern(tile, "repeat"));
  return ui.inks.get(key);
}

function swatch(ui, fill, text, title = "") {
  const canvas = document.createElement("canvas"), c = fit(canvas, 22, 14), one = make("span", "", null, canvas, text);
  c.fillStyle = fill(c);
  c.fillRect(0, 0, 22, 14);
  canvas.setAttribute("aria-hidden", "true");
  one.title = title;
  return one;
}

function ramp(ui) {
  const stops = ui.theme.themes[themeName(ui)].ramp.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2), share = place - low;
    const [r, g, b] = range(3).map((k) => Math.round(stops[low][k] + (stops[low + 1][k] - stops[low][k]) * share));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** A heat map of `values` [rows · columns], each drawn by the square root of its share of `top`. */
function heat(ui, c, values, columns, top, [x, y, width, height]) {
  const rows = values.length / columns, image = new ImageData(columns, rows), pixels = new Uint32Array(image.data.buffer), lut = ramp(ui);
  for (let i = 0; i < values.length; i++) pixels[i] = lut[Math.min(255, Math.sqrt(values[i] / top) * 255) | 0];
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  small.getContext("2d").putImageData(image, 0, 0);
  c.imageSmoothingEnabled = false;
  c.drawImage(small, x, y, width, height);
}

function scaleKey(ui, top, words) {
  const canvas = document.createElement("canvas"), c = fit(canvas, 90, 12);
  heat(ui, c, Float32Array.from({ length: 90 }, (_, i) => (i / 89) ** 2), 90, 1, [0, 0, 90, 12]);
  canvas.setAttribute("aria-hidden", "true");
  return make("span", "", null, "0", canvas, `${decimal(top, 3)} ${words}, square-root scale`);
}

function ticks(n, room) {
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => n / size <= room) || 2000;
  return range(Math.ceil(n / every)).map((i) => i * every);
}

/** Show a mark over a rectangle of a stage, or hide it. */
function mark(element, box) {
  element.style.display = box ? "block" : "none";
  if (box) Object.assign(element.style, { transform: `translate(${box[0]}px, ${box[1]}px)`, width: `${box[2]}px`, height: `${box[3]}px` });
}

const inside = (event, element) => { const box = element.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };


const explorer = () => window.dawnExplorer;

function visit(step, position) {
  if (step !== null) explorer().show(step);
  if (position !== null) explorer().select(position, true);
}

/** A cell that goes to a step or position. */
function go(text, name, step, position) {
  const button = make("button", "", text);
  button.type = "button";
  button.setAttribute("aria-label", name);
  button.addEventListener("click", () => visit(step, position));
  return make("td", "", null, button);
}

function table(ui, name, heads, rows) {
  const head = make("tr", "", null, ...heads.map((text) => Object.assign(make("th", "", text), { scope: "col" })));
  part(ui, name, ".ax-table thead").replaceChildren(head);
  part(ui, name, ".ax-table tbody").replaceChildren(...rows.map((cells) => make("tr", "", null, ...cells.map((cell) => (cell instanceof Node ? cell : make("td", "", cell))))));
}

const code = (text) => make("td", "", null, make("code", "", text));
