/* The analysis panels: follow the explorer's shown step and selection, ask Python for what an open panel needs, draw it. A closed
   panel costs nothing, and scrubbing moves marks only. Text of people and models is written as text, never as markup. */
(() => {
  "use strict";

  const QUIET = 350; // ms without a new step before a panel asks again
  const PAGE = 50; // rows of a table
  const UNIT = 10000; // attention maps come in ten-thousandths
  const LARGEST_SIDE = 8000; // pixels of a canvas
  const MARGIN = { left: 40, top: 4, bottom: 20 };

  // ---------------------------------------------------------------- small tools
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const find = (ui, selector) => ui.root.querySelector(selector);
  const part = (ui, name, selector) => ui.panels[name].querySelector(selector);
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const decimal = (value, digits = 4) => (Number.isFinite(value) ? value.toFixed(digits).replace(/^0\./, ".") : "");
  const percent = (share) => `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;
  const plain = (value) => String(Number(value.toPrecision(6)));
  const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function make(tag, name, text, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined && text !== null) element.textContent = text;
    element.append(...children);
    return element;
  }

  function draw(tag, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  async function inflate(text) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  /** base64 of gzip → document with typed arrays; the format is described in viz/payload.py. */
  async function unpack(text) {
    const buffer = await inflate(text), size = new DataView(buffer).getUint32(0, true);
    const kinds = { u2: Uint16Array, i4: Int32Array, f4: Float32Array };
    const revive = (key, value) => (value && value.$ ? new kinds[value.$[0]](buffer, 4 + size + value.$[1], value.$[2]) : value);
    return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)), revive);
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

  // ---------------------------------------------------------------- drawing tools
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

  // ---------------------------------------------------------------- towards the explorer
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

  // ---------------------------------------------------------------- ledger
  const COLUMNS = [
    ["step", "Step"], ["position", "Position"], ["text", "Token"], ["outcome", "Decision"], ["confidence", "Confidence"], ["blocker", "In conflict with"],
    ["weight", "Edge"], ["evidence", "Leans on"],
  ];
  const emptyLedger = () => ({ rows: [], pieces: {}, next: 0, outcomes: [], order: null, page: 0, sort: ["step", 1] });

  async function loadLedger(ui) {
    const trace = ui.trace, book = ui.ledger;
    while (ui.ledger === book && book.next < ui.steps) {
      note(ui, "ledger", `Reading step ${book.next + 1} of ${ui.steps} …`);
      const answer = await ask(ui, "ledger", { trace, from: book.next }), document = await unpack(answer.body);
      if (ui.ledger !== book || answer.next === book.next) return;
      addRows(book, document);
      book.next = answer.next;
    }
    paintLedger(ui);
  }

  function addRows(book, document) {
    const start = book.rows.length;
    Object.assign(book.pieces, document.pieces);
    book.outcomes = document.outcomes;
    for (let i = 0; i < document.step.length; i++) {
      const row = { text: book.pieces[document.token[i]], outcome: document.outcomes[document.outcome[i]], evidence: [] };
      for (const name of ["step", "position", "token", "confidence", "blocker", "weight", "end"]) row[name] = document[name][i];
      book.rows.push(row);
    }
    document.leaning.forEach((row, i) => book.rows[start + row].evidence.push([document.anchor[i], document.support[i]]));
    book.order = null;
  }

  function paintLedger(ui) {
    const book = ui.ledger, tally = {};
    for (const row of book.rows) tally[row.outcome] = (tally[row.outcome] || 0) + 1;
    const present = [...ui.theme.tiers, ...ui.theme.refusals].filter((name) => tally[name]), { ledger } = ui.theme;
    part(ui, "ledger", ".ax-key").replaceChildren(...present.map((name) => swatch(ui, (c) => ink(ui, c, name), `${ledger[name].label} (${tally[name]})`, ledger[name].words)));
    fillOptions(part(ui, "ledger", "[data-filter=outcome]"), [["", "all"], ...present.map((name) => [name, ledger[name].label])]);
    note(ui, "ledger", `${count(book.rows.length, "row")} over ${count(book.next, "step")}.`);
    paintSheet(ui);
    paintRows(ui);
  }

  function fillOptions(select, pairs) {
    if (same([...select.options].map((one) => [one.value, one.text]), pairs)) return;
    const { value } = select;
    select.replaceChildren(...pairs.map(([key, text]) => new Option(text, key)));
    if (pairs.some(([key]) => String(key) === value)) select.value = value;
  }

  /** Positions from left to right, steps from top to bottom; runs of one outcome are one rectangle. */
  function paintSheet(ui) {
    const { rows, next } = ui.ledger, canvas = part(ui, "ledger", "canvas"), room = part(ui, "ledger", ".ax-grid").clientWidth - 4;
    if (!rows.length || room <= 0) return;
    let low = Infinity, high = 0;
    for (const { position } of rows) { low = Math.min(low, position); high = Math.max(high, position); }
    const columns = high - low + 1, width = Math.min(clamp((room - MARGIN.left) / columns, 6, 20), LARGEST_SIDE / columns);
    const height = Math.min(clamp(320 / next, 6, 16), LARGEST_SIDE / next);
    const sheet = (ui.sheet = { low, columns, width, height, x: (p) => MARGIN.left + (p - low) * width, y: (k) => MARGIN.top + k * height });
    const c = fit(canvas, Math.ceil(MARGIN.left + columns * width), Math.ceil(MARGIN.top + next * height + MARGIN.bottom));
    sheet.cells = Array.from({ length: next }, () => new Array(columns));
    for (const row of rows) sheet.cells[row.step - 1][row.position - low] = row;
    sheet.cells.forEach((line, k) => paintLine(ui, c, sheet, line, k));
    for (const k of ticks(next, (next * height) / 14)) label(ui, c, k + 1, MARGIN.left - 6, sheet.y(k) + height / 2, "right");
    for (const p of ticks(columns, (columns * width) / 40)) label(ui, c, low + p, sheet.x(low + p) + width / 2, sheet.y(next) + 10, "center");
    canvas.setAttribute("aria-label", `Ledger: positions ${low} to ${high} from left to right, steps 1 to ${next} from top to bottom`);
    markSheet(ui);
  }

  function paintLine(ui, c, sheet, line, k) {
    const gap = sheet.height > 5 ? 1 : 0;
    for (let p = 0, start = 0; p < sheet.columns; p++) {
      const name = line[p] && line[p].outcome, after = line[p + 1] && line[p + 1].outcome;
      if (name === after && p + 1 < sheet.columns) continue;
      if (name) {
        c.fillStyle = ink(ui, c, name);
        c.fillRect(sheet.x(sheet.low + start), sheet.y(k), (p + 1 - start) * sheet.width, sheet.height - gap);
      }
      start = p + 1;
    }
  }

  function markSheet(ui) {
    const { sheet } = ui, box = part(ui, "ledger", ".ax-grid");
    if (!sheet) return;
    const whole = sheet.columns * sheet.width, tall = ui.ledger.next * sheet.height, p = ui.position, known = p !== null && p >= sheet.low && p < sheet.low + sheet.columns;
    mark(part(ui, "ledger", ".ax-row"), ui.at < ui.ledger.next ? [MARGIN.left, sheet.y(ui.at), whole, sheet.height] : null);
    mark(part(ui, "ledger", ".ax-column"), known ? [sheet.x(p), MARGIN.top, sheet.width, tall] : null);
    const y = sheet.y(ui.at);
    if (y < box.scrollTop || y > box.scrollTop + box.clientHeight - 30) box.scrollTop = y - box.clientHeight / 2;
  }

  function cellOf(ui, event) {
    const { sheet } = ui, [x, y] = inside(event, part(ui, "ledger", "canvas"));
    const step = Math.floor((y - MARGIN.top) / sheet.height), place = Math.floor((x - MARGIN.left) / sheet.width);
    return step >= 0 && step < ui.ledger.next && place >= 0 && place < sheet.columns ? { step, position: sheet.low + place, row: sheet.cells[step][place] } : null;
  }

  const words = (ui, row) => `step ${row.step}, position ${row.position} “${row.text}”: ${ui.theme.ledger[row.outcome].label}${Number.isFinite(row.confidence) ? `, confidence ${decimal(row.confidence)}` : ""}`;

  function sheetKey(ui, event) {
    const steps = { ArrowUp: -1, ArrowDown: 1 }[event.key], places = { ArrowLeft: -1, ArrowRight: 1 }[event.key], { sheet } = ui;
    if (!sheet || (!steps && !places)) return;
    event.preventDefault();
    const from = ui.position === null ? sheet.low : ui.position;
    if (steps) explorer().show(clamp(ui.at + steps, 0, ui.steps - 1));
    else explorer().select(clamp(from + places, sheet.low, sheet.low + sheet.columns - 1), true);
  }

  const NUMBERS = { text: (row) => row.text, outcome: (row) => row.outcome, evidence: (row) => (row.evidence.length ? row.evidence[0][1] : NaN), blocker: (row) => (row.blocker < 0 ? NaN : row.blocker) };

  /** The rows that pass the filters, sorted; what has no value comes last. */
  function chosenRows(ui) {
    const value = (name) => part(ui, "ledger", `[data-filter=${name}]`).value.trim(), position = value("position"), text = value("text").toLowerCase();
    const outcome = value("outcome"), step = value("step") === "shown" ? ui.at + 1 : null, [key, sign] = ui.ledger.sort, of = NUMBERS[key] || ((row) => row[key]);
    const passes = (row) => (!outcome || row.outcome === outcome) && (step === null || row.step === step) && (!position || row.position === Number(position)) && (!text || row.text.toLowerCase().includes(text));
    const none = (one) => typeof one === "number" && Number.isNaN(one);
    const compare = (a, b) => (none(a) || none(b) ? none(a) - none(b) : a < b ? -sign : a > b ? sign : 0);
    const rows = ui.ledger.rows.filter(passes);
    return key === "step" && sign > 0 ? rows : rows.sort((a, b) => compare(of(a), of(b)) || a.step - b.step || a.position - b.position);
  }

  function paintRows(ui) {
    const book = ui.ledger;
    book.order = book.order || chosenRows(ui);
    const pages = Math.max(1, Math.ceil(book.order.length / PAGE));
    book.page = clamp(book.page, 0, pages - 1);
    const rows = book.order.slice(book.page * PAGE, (book.page + 1) * PAGE);
    part(ui, "ledger", ".ax-table tbody").replaceChildren(...rows.map((row) => ledgerRow(ui, row)));
    part(ui, "ledger", ".ax-page").textContent = `Page ${book.page + 1} of ${pages}: ${count(book.order.length, "row")}`;
    for (const head of ui.panels.ledger.querySelectorAll("th")) head.setAttribute("aria-sort", head.dataset.key !== book.sort[0] ? "none" : book.sort[1] > 0 ? "ascending" : "descending");
  }

  function ledgerRow(ui, row) {
    const { label: name } = ui.theme.ledger[row.outcome], filled = row.end && row.outcome !== "filled" ? ", then end fill" : "";
    const leans = row.evidence.map(([anchor, weight]) => `${anchor} (${decimal(weight)})`).join(", ");
    const line = make("tr", "", null, go(row.step, `Show step ${row.step} and position ${row.position}`, row.step - 1, row.position), make("td", "", row.position), code(row.text), make("td", "", name + filled),
      make("td", "", decimal(row.confidence)), make("td", "", row.blocker < 0 ? "" : row.blocker), make("td", "", decimal(row.weight)), make("td", "", leans));
    line.setAttribute("aria-current", row.step - 1 === ui.at && row.position === ui.position);
    Object.assign(line.dataset, { step: row.step, position: row.position, outcome: row.outcome });
    return line;
  }

  function filtered(ui) {
    Object.assign(ui.ledger, { order: null, page: 0 });
    paintRows(ui);
  }

  function buildLedger(ui) {
    const panel = ui.panels.ledger, heads = COLUMNS.map(([key, text]) => {
      const head = make("th", "", null, Object.assign(make("button", "", text), { type: "button" }));
      Object.assign(head, { scope: "col" }).dataset.key = key;
      return head;
    });
    panel.querySelector("thead tr").append(...heads);
    panel.querySelector("thead").addEventListener("click", (event) => {
      const key = event.target.closest("th")?.dataset.key, [old, sign] = ui.ledger.sort;
      if (!key) return;
      ui.ledger.sort = [key, key === old ? -sign : 1];
      filtered(ui);
    });
    panel.querySelector(".ax-tools").addEventListener("input", () => filtered(ui));
    panel.querySelector(".ax-pages").addEventListener("click", (event) => turn(ui, event.target.dataset.page));
    watchSheet(ui, panel.querySelector(".ax-sheet"));
    panel.querySelector(".ax-grid").addEventListener("keydown", (event) => sheetKey(ui, event));
    panel.querySelector("[data-do=csv]").addEventListener("click", () => guarded(ui, "ledger", () => download(ui)));
  }

  function turn(ui, where) {
    const book = ui.ledger, page = { first: 0, back: book.page - 1, forward: book.page + 1, last: Infinity }[where];
    if (page === undefined) return;
    book.page = page;
    paintRows(ui);
  }

  function watchSheet(ui, sheet) {
    sheet.addEventListener("click", (event) => {
      const cell = ui.sheet && cellOf(ui, event);
      if (cell) visit(cell.step, cell.position);
    });
    sheet.addEventListener("pointermove", (event) => {
      const cell = ui.sheet && cellOf(ui, event);
      sheet.title = cell ? (cell.row ? words(ui, cell.row) : `step ${cell.step + 1}, position ${cell.position}: outside the window`) : "";
    });
  }

  async function download(ui) {
    const { body } = await ask(ui, "csv", { trace: ui.trace }), link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await inflate(body)], { type: "text/csv;charset=utf-8" }));
    link.download = "dawn-ledger.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // ---------------------------------------------------------------- what if, over the whole run
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
    const up = Math.max(1, ...steps.map(([, now]) => now)), down = Math.max(0, ...steps.map((one) => one[3])), unit = (height - 34) / (up + down);
    const c = fit(stage.querySelector("canvas"), width, height), pitch = (width - MARGIN.left - 8) / steps.length, base = 10 + up * unit, bar = Math.max(1, pitch * 0.78);
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
    label(ui, c, "tokens", 0, 6);
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

  // ---------------------------------------------------------------- sensitivity
  const PLOT = { width: 360, height: 190, left: 34, right: 40, top: 12, bottom: 34 };

  async function loadCurves(ui) {
    const { trace, steps } = ui, own = await ownSettings(ui), box = part(ui, "curves", ".ax-curves");
    if (ui.curvesFor === `${trace} ${steps}`) return;
    ui.curvesFor = `${trace} ${steps}`;
    box.replaceChildren();
    part(ui, "curves", ".ax-key").replaceChildren(...[["ax-tokens", "tokens per step (left)"], ["ax-agreement", "agreement (right)"], ["ax-own", "this run"], ["ax-preset", "preset or default"], ["ax-now", "set now"]].map(([name, text]) => lineKey(name, text)));
    for (const name of own.names) {
      note(ui, "curves", `Deciding every step again over ${name} …`);
      const answer = await ask(ui, "curve", { trace, name });
      if (ui.curvesFor !== `${trace} ${steps}`) return;
      box.append(curveFigure(ui, answer));
    }
    note(ui, "curves", own.names.length ? `Rule ${own.rule}, over ${count(steps, "step")}.` : `The rule ${own.rule} has no threshold.`, "done");
  }

  function lineKey(name, text) {
    const svg = draw("svg", { viewBox: "0 0 30 10", "aria-hidden": "true" });
    svg.append(draw("line", { x1: 0, x2: 30, y1: 5, y2: 5, class: name }));
    return make("span", "", null, svg, text);
  }

  function curveFigure(ui, curve) {
    const known = curve.points.filter(([, tokens]) => tokens !== null), figure = make("div", "ax-curve", null, make("h5", "", curve.name.replace(/_/g, " ")), make("p", "", curve.help));
    figure.dataset.name = curve.name;
    const now = make("p", "", "");
    now.setAttribute("role", "status");
    figure.append(known.length ? plot(ui, curve, known, now) : make("p", "", "This trace lacks the numbers for every value."), now, curveTable(ui, curve, now));
    return figure;
  }

  function plot(ui, curve, known, now) {
    const ends = known.map(([value]) => value), low = Math.min(curve.low, ...ends), high = Math.max(curve.high, ...ends), most = Math.max(1, ...known.map((one) => one[1]));
    const { width, height, left, right, top, bottom } = PLOT, x = (value) => left + ((value - low) / (high - low || 1)) * (width - left - right), y = (share) => height - bottom - share * (height - top - bottom);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Tokens per step and agreement over ${curve.name}; the table below says the same` });
    for (const share of [0, 0.5, 1]) {
      svg.append(draw("line", { class: "ax-axis", x1: left, x2: width - right, y1: y(share), y2: y(share) }));
      svg.append(draw("text", { x: left - 5, y: y(share) + 4, "text-anchor": "end" }, plain(Number((share * most).toFixed(1)))), draw("text", { x: width - right + 5, y: y(share) + 4 }, `${share * 100} %`));
    }
    for (const value of [low, (low + high) / 2, high]) svg.append(draw("text", { x: x(value), y: height - bottom + 15, "text-anchor": "middle" }, plain(Number(value.toFixed(4)))));
    svg.append(draw("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, curve.name.replace(/_/g, " ")));
    const line = (name, points) => svg.append(draw("polyline", { class: name, points: points.map((pair) => pair.map((n) => n.toFixed(1)).join()).join(" ") }));
    line("ax-tokens", known.map(([value, tokens]) => [x(value), y(tokens / most)]));
    line("ax-agreement", known.filter((one) => one[2] !== null).map(([value, , share]) => [x(value), y(share)]));
    const upright = (name, value) => draw("line", { class: name, x1: x(value), x2: x(value), y1: top, y2: height - bottom });
    svg.append(upright("ax-own", curve.value));
    if (curve.preset !== null) svg.append(upright("ax-preset", curve.preset));
    watchPlot(ui, svg, curve, { low, high, x, upright }, now);
    return svg;
  }

  /** Hover reads the curve, a click applies the value under it. */
  function watchPlot(ui, svg, curve, { low, high, x, upright }, now) {
    const at = (event) => {
      const [place] = inside(event, svg), value = low + ((place * PLOT.width) / svg.clientWidth - x(low)) / (x(high) - x(low)) * (high - low);
      return clamp(Math.round((value - curve.low) / curve.step) * curve.step + curve.low, low, high);
    };
    const hover = upright("ax-hover", low), shown = upright("ax-now", low);
    hover.style.display = shown.style.display = "none";
    svg.append(hover, shown);
    svg.addEventListener("pointermove", (event) => { const value = at(event); hover.style.display = ""; hover.setAttribute("x1", x(value)); hover.setAttribute("x2", x(value)); svg.setAttribute("data-value", plain(value)); now.textContent = reading(curve, value); });
    svg.addEventListener("pointerleave", () => { hover.style.display = "none"; });
    svg.addEventListener("click", (event) => apply(curve, at(event), now));
    ui.nows.push(() => {
      const set = ui.plan && ui.own && ui.plan.rule === ui.own.rule ? ui.plan.settings[curve.name] : undefined;
      shown.style.display = set === undefined || set === curve.value || !svg.isConnected ? "none" : "";
      if (set !== undefined) { shown.setAttribute("x1", x(clamp(set, low, high))); shown.setAttribute("x2", x(clamp(set, low, high))); }
    });
    ui.nows[ui.nows.length - 1]();
  }

  function reading(curve, value) {
    const [near, tokens, share] = curve.points.reduce((best, one) => (Math.abs(one[0] - value) < Math.abs(best[0] - value) ? one : best));
    return tokens === null ? `${plain(near)}: not recorded` : `${plain(near)}: ${tokens.toFixed(2)} tokens per step${share === null ? "" : `, agreement ${percent(share)}`}`;
  }

  /** Put a value into the setting's own control, as a hand would. */
  function apply(curve, value, now) {
    const sliders = document.querySelectorAll(`#${CSS.escape(curve.control)} input[type=range]`), slider = [...sliders].find((one) => one.offsetParent !== null) || sliders[0];
    now.textContent = slider ? `Set to ${plain(value)}.` : "Choose this run's rule among the controls first: then this value can be set.";
    if (!slider) return;
    slider.value = Number(value.toFixed(6));
    for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
  }

  function curveTable(ui, curve, now) {
    const rows = curve.points.map(([value, tokens, share]) => {
      const button = Object.assign(make("button", "", "Set"), { type: "button" }), marks = [value === curve.value && "this run", value === curve.preset && curve.label].filter(Boolean).join(", ");
      button.setAttribute("aria-label", `Set ${curve.name} to ${plain(value)}`);
      button.addEventListener("click", () => apply(curve, value, now));
      const cells = [plain(value), tokens === null ? "not recorded" : tokens.toFixed(2), share === null ? "" : percent(share), marks].map((text) => make("td", "", text));
      return make("tr", "", null, ...cells, make("td", "", null, button));
    });
    const heads = [curve.name.replace(/_/g, " "), "Tokens per step", "Agreement", "", "Set"].map((text) => make(text ? "th" : "td", "", text)), scroll = make("div", "ax-scroll", null, make("table", "ax-table", null, make("thead", "", null, make("tr", "", null, ...heads)), make("tbody", "", null, ...rows)));
    Object.assign(scroll, { tabIndex: 0 });
    scroll.setAttribute("role", "group");
    scroll.setAttribute("aria-label", `Table of the curve over ${curve.name}`);
    return make("details", "ax-more", null, make("summary", "", curve.preset === null ? "As a table" : `As a table (${curve.label}: ${plain(curve.preset)})`), scroll);
  }

  // ---------------------------------------------------------------- sinks
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

  // ---------------------------------------------------------------- attention of one layer or head
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
    ui.tools.trigger("look", { trace: ui.trace, step: ui.at, layer: Number(find(ui, "[data-choice=layer]").value), head: head === "" ? null : Number(head) });
  }

  async function receiveLook(ui) {
    const value = ui.tools.props.value || {};
    if (value.error) return note(ui, "attention", `No answer: ${value.error}`, "error");
    if (!value.body || value.trace !== ui.trace) return;
    const found = await unpack(value.body);
    ui.look = { ...value, ...found };
    paintLook(ui);
  }

  const chosenName = (one) => `Layer ${one.layer + 1}, ${one.head === null ? "mean of its heads" : `head ${one.head + 1}`}`;

  function paintLook(ui) {
    const one = ui.look, figures = ui.panels.attention.querySelectorAll("figure"), names = [chosenName(one), "The average that DAWN uses"];
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
    heat(ui, c, map, one.length, 2500, [MARGIN.left, 4, side, side]);
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

  // ---------------------------------------------------------------- panels and events
  const LOADS = { ledger: loadLedger, replay: loadReplay, curves: loadCurves, sinks: loadSinks, attention: loadModel };
  const PLANNED = ["replay", "sinks"]; // what depends on the settings as they are now

  async function guarded(ui, name, work) {
    try {
      await work();
    } catch (error) {
      note(ui, name, `${error.message || error}`, "error");
    }
  }

  function refresh(ui, name) {
    if (ui.panels[name].open && ui.trace && ui.steps) guarded(ui, name, () => LOADS[name](ui));
  }

  const refreshAll = (ui, names = Object.keys(LOADS)) => names.forEach((name) => refresh(ui, name));

  function onStep(ui, { trace, step, steps }) {
    const other = trace !== ui.trace, more = steps !== ui.steps;
    if (other) Object.assign(ui, { trace, ledger: emptyLedger(), replay: null, sinks: null, look: null, sheet: null, bars: null, sinkMap: null, curvesFor: "", nows: [], position: null });
    Object.assign(ui, { at: step, steps });
    if (other) clearPictures(ui);
    if (other || more) {
      clearTimeout(ui.timer);
      ui.timer = setTimeout(() => refreshAll(ui), other ? 0 : QUIET);
    }
    follow(ui);
    Object.assign(ui.root.dataset, { trace: trace || "", step });
  }

  /** Another run: what was drawn of the last one goes. */
  function clearPictures(ui) {
    for (const panel of Object.values(ui.panels)) {
      for (const canvas of panel.querySelectorAll(".ax-sheet canvas, .ax-stage canvas")) fit(canvas, 0, 0);
      for (const one of panel.querySelectorAll("tbody, .ax-key, .ax-curves, figcaption, .ax-read")) one.replaceChildren();
      for (const one of panel.querySelectorAll(".ax-row, .ax-column")) mark(one, null);
    }
  }

  /** Move the marks to the shown step and the selected position. */
  function follow(ui) {
    if (ui.panels.ledger.open && ui.ledger.next) {
      markSheet(ui);
      if (part(ui, "ledger", "[data-filter=step]").value === "shown") later(ui, () => filtered(ui));
      else for (const line of ui.panels.ledger.querySelectorAll("tbody tr")) line.setAttribute("aria-current", Number(line.dataset.step) === ui.at + 1 && Number(line.dataset.position) === ui.position);
    }
    if (ui.panels.replay.open) markBars(ui);
    if (ui.panels.sinks.open) markSinks(ui);
    if (ui.panels.attention.open) paintStale(ui);
  }

  function later(ui, work) {
    clearTimeout(ui.soon);
    ui.soon = setTimeout(work, 80);
  }

  function onSelect(ui, { position }) {
    if (ui.position === position) return;
    ui.position = position;
    follow(ui);
    if (ui.look && ui.panels.attention.open) later(ui, () => paintLook(ui));
  }

  function propose(ui, rule, settings) {
    ui.plan = { rule, settings };
    ui.nows.forEach((move) => move());
    refreshAll(ui, PLANNED);
  }

  /** Sizes or theme may have changed. */
  function repaint(ui) {
    const { panels } = ui;
    if (panels.ledger.open && ui.ledger.rows.length) paintLedger(ui);
    if (panels.replay.open && ui.replay) paintBars(ui);
    if (panels.sinks.open && ui.sinks) paintSinkMap(ui);
    if (panels.attention.open && ui.look) paintLook(ui);
  }

  function wire(ui) {
    for (const [name, panel] of Object.entries(ui.panels)) panel.addEventListener("toggle", (event) => event.target === panel && panel.open && refresh(ui, name));
    part(ui, "replay", ".ax-more").addEventListener("toggle", () => ui.replay && replayTable(ui));
    part(ui, "replay", ".ax-stage").addEventListener("click", (event) => {
      const k = ui.bars && Math.floor((inside(event, event.currentTarget)[0] - MARGIN.left) / ui.bars.pitch);
      if (ui.bars && k >= 0 && k < ui.steps) visit(k, null);
    });
    document.addEventListener("dawn:step", (event) => onStep(ui, event.detail));
    document.addEventListener("dawn:select", (event) => onSelect(ui, event.detail));
    let width = 0;
    new ResizeObserver(([{ contentRect }]) => { if (contentRect.width !== width) { width = contentRect.width; later(ui, () => repaint(ui)); } }).observe(ui.root);
    new MutationObserver(() => repaint(ui)).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** Start the panels inside a gr.HTML. tools: trigger, props, server, watch (Gradio's), theme (viz/theme.py). */
  window.mountDawnAnalysis = (element, tools) => {
    const root = element.querySelector("#analysis"), panels = Object.fromEntries([...root.querySelectorAll(".ax-panel")].map((panel) => [panel.dataset.panel, panel]));
    const ui = { root, tools, theme: tools.theme, panels, trace: null, at: 0, steps: 0, position: null, plan: null, ledger: emptyLedger(), inks: new Map(), maps: new Map(), nows: [], curvesFor: "" };
    buildLedger(ui);
    buildSinks(ui);
    buildAttention(ui);
    wire(ui);
    tools.watch("value", () => guarded(ui, "attention", () => receiveLook(ui)));
    window.dawnAnalysis = { propose: (rule, settings) => propose(ui, rule, settings) };
    const { trace, step, steps } = document.querySelector("#explorer")?.dataset || {};
    if (step) onStep(ui, { trace, step: Number(step), steps: Number(steps) });
  };
})();
