/* The ledger: a picture of positions and steps, and a table in pages. */

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
  const { rows, next } = ui.ledger, canvas = part(ui, "ledger", ".ax-sheet canvas"), room = part(ui, "ledger", ".ax-grid").clientWidth - 4;
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
  for (const p of ticks(columns, (columns * width) / 40)) if (p + 10 / width < columns) label(ui, c, low + p, sheet.x(low + p) + width / 2, sheet.y(next) + 10, "center");
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
  clearTimeout(ui.scrolling);
  ui.scrolling = setTimeout(() => reveal(box, sheet.y(ui.at)), SCROLL_REST);
}

const SCROLL_REST = 60; // milliseconds: asking for a place amid a step's changes would lay the page out once more

function reveal(box, y) {
  if (y < box.scrollTop || y > box.scrollTop + box.clientHeight - 30) box.scrollTop = y - box.clientHeight / 2;
}

function cellOf(ui, event) {
  const { sheet } = ui, [x, y] = inside(event, part(ui, "ledger", ".ax-sheet canvas"));
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
  const { body } = await ask(ui, "csv", { trace: ui.trace });
  window.dawnParts.save("dawn-ledger.csv", new Blob([await window.dawnParts.inflate(body)], { type: "text/csv;charset=utf-8" }));
}
