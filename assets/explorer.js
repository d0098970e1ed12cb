/* The explorer: shows the recorded steps of one run. Owns what is shown and selected; asks Python only for steps it does not
   have and for decisions under other thresholds. Text of people and models is written as text, never as markup. */
(() => {
  "use strict";

  const UNIT = 10000; // attention weights come in ten-thousandths
  const GIVEN = -2, NEVER = -1; // in `came`: there before the run; not written yet
  const WIDEST = 230; // pixels of a token
  const THUMB = 16; // width of the scrubber's thumb, as in the style sheet
  const NO_PLAN = { wanted: null, shown: null }; // settings asked about; the answer that is shown

  // ---------------------------------------------------------------- small tools
  const find = (ui, selector) => ui.root.querySelector(selector);
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  /** An element with class and text; children may follow. */
  function make(tag, name, text, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined && text !== null) element.textContent = text;
    element.append(...children);
    return element;
  }

  /** .734 rather than 0.734, cut to `digits`. */
  function number(value, digits = 3) {
    return value.toFixed(digits).replace(/^0\./, ".");
  }

  /** Two numbers with as many digits as it takes to see that they differ, if they do. */
  function pair(one, other) {
    for (let digits = 2; digits < 7; digits++) {
      const texts = [number(one, digits), number(other, digits)];
      if (one === other || (texts[0] !== texts[1] && digits > 2)) return texts;
    }
    return [number(one, 7), number(other, 7)];
  }

  /** A threshold as it was compared: rounded to float32. */
  const level = Math.fround;
  const plain = (value) => String(Number(value.toPrecision(6))).replace(/^0\./, ".");

  // ---------------------------------------------------------------- the wire
  /** base64 of gzip → document with typed arrays; the format is described in viz/payload.py. */
  async function unpack(text) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const buffer = await new Response(stream).arrayBuffer();
    const size = new DataView(buffer).getUint32(0, true);
    const kinds = { u2: Uint16Array, i4: Int32Array, f4: Float32Array };
    const revive = (key, value) => (value && value.$ ? new kinds[value.$[0]](buffer, 4 + size + value.$[1], value.$[2]) : value);
    return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)), revive);
  }

  // ---------------------------------------------------------------- the run
  function emptyRun(id) {
    return { id, header: null, steps: [], pieces: {}, came: null, tier: [], last: null };
  }

  /** Fetch until nothing is missing. One fetch at a time; value updates in between only move the goal. */
  async function follow(ui) {
    const value = ui.tools.props.value || {};
    if (value.notice && !value.trace) return notice(ui, value.notice);
    adopt(ui, value);
    if (ui.fetching) return;
    ui.fetching = true;
    while (ui.run.steps.length < (ui.value.steps || 0) && (await fetchMore(ui)));
    ui.fetching = false;
    ui.root.dataset.done = ui.value.done !== false;
    if (ui.value.notice) notice(ui, ui.value.notice);
  }

  /** Take over a new value; another trace starts from nothing. */
  function adopt(ui, value) {
    const changed = value.trace !== ui.run.id;
    ui.value = value;
    if (changed) reset(ui, value);
    find(ui, ".dx-title").textContent = value.title || "";
    find(ui, "[data-do=fork]").disabled = value.done === false || value.fork === false;
    ui.root.dataset.running = value.done === false;
    redraw(ui);
  }

  function reset(ui, value) {
    stop(ui);
    ui.run = emptyRun(value.trace);
    Object.assign(ui, { at: -1, following: true, hovered: null, locked: null });
    ui.plan = { ...NO_PLAN, wanted: ui.plan.wanted };
    ui.root.dataset.empty = !value.trace;
    Object.assign(ui.root.dataset, { step: "", steps: "0", trace: value.trace || "", done: false });
    notice(ui, "");
    if (!value.trace) find(ui, ".dx-tokens").replaceChildren();
  }

  /** One request; false if it brought nothing, so that nobody asks for ever. */
  async function fetchMore(ui) {
    const id = ui.value.trace, from = ui.run.steps.length;
    try {
      const answer = await ui.tools.server.fetch({ trace: id, from });
      if (answer.error) throw new Error(answer.error);
      const document = await unpack(answer.body);
      if (ui.run.id !== id) return true;
      append(ui, document);
      return document.steps.length > 0;
    } catch (error) {
      if (ui.run.id !== id) return true;
      notice(ui, `The recorded steps could not be read: ${error.message || error}`);
      return false;
    }
  }

  function append(ui, document) {
    const run = ui.run;
    Object.assign(run.pieces, document.pieces);
    if (document.header) begin(ui, document.header);
    for (const step of document.steps) {
      remember(run, step);
      run.steps.push(step);
      for (const p of [...step.decision.taken.keys(), ...step.filled]) reserve(ui, p);
    }
    find(ui, "[data-testid=scrubber]").max = Math.max(0, run.steps.length - 1);
    ui.barsFor = null;
    const first = ui.at < 0 && ui.value.done !== false && Number.isInteger(ui.value.at);
    if (first) show(ui, ui.value.at, false);
    else if (ui.following) show(ui, run.steps.length - 1, true);
    else redraw(ui);
  }

  /** Arrays over all positions, and the elements of the canvas: made once per run. */
  function begin(ui, header) {
    const run = ui.run, length = header.length;
    run.header = header;
    run.came = new Int32Array(length).fill(NEVER);
    run.last = Int32Array.from(header.tokens);
    run.tier = new Array(length).fill("");
    for (let p = 0; p < length; p++) if (header.tokens[p] !== header.mask) run.came[p] = GIVEN;
    buildTokens(ui);
  }

  /** What a step wrote: when, by which tier, which token. */
  function remember(run, step) {
    const write = (p, tier, token) => {
      run.came[p] = step.index;
      run.tier[p] = tier;
      run.last[p] = token;
    };
    step.rows = new Map([...step.window].map((p, row) => [p, row]));
    for (const [p, tier] of step.decision.committed) write(p, tier, step.predicted[step.rows.get(p)]);
    for (const p of step.filled) write(p, "filled", step.end);
    index(step.decision);
  }

  /** Look-ups by position for a decision, recorded or proposed. */
  function index(decision) {
    decision.taken = new Map(decision.committed.map((one) => [one[0], one]));
    decision.left = new Map(decision.refused.map((one) => [one[0], one]));
    decision.sinks = new Set(decision.graph ? decision.graph.sinks : []);
  }

  // ---------------------------------------------------------------- which step
  const current = (ui) => ui.run.steps[ui.at];
  const proposal = (ui) => (ui.plan.shown && ui.plan.shown.step === ui.at ? ui.plan.shown : null);
  const decided = (ui) => (proposal(ui) || current(ui)).decision;

  function show(ui, k, following) {
    const last = ui.run.steps.length - 1;
    if (last < 0) return;
    ui.at = clamp(k, 0, last);
    ui.following = following ?? ui.at === last;
    const scrubber = find(ui, "[data-testid=scrubber]");
    if (Number(scrubber.value) !== ui.at) scrubber.value = ui.at;
    redraw(ui);
    if (ui.plan.wanted) consider(ui);
  }

  function play(ui) {
    if (ui.timer) return stop(ui);
    if (ui.at >= ui.run.steps.length - 1) show(ui, 0);
    const tick = () => {
      if (ui.at >= ui.run.steps.length - 1 || !ui.root.isConnected) return stop(ui);
      show(ui, ui.at + 1);
      ui.timer = setTimeout(tick, 1000 / Number(find(ui, "[data-testid=speed]").value));
    };
    ui.timer = setTimeout(tick, 200);
    playButton(ui);
  }

  function stop(ui) {
    clearTimeout(ui.timer);
    ui.timer = null;
    playButton(ui);
  }

  function playButton(ui) {
    const button = find(ui, "[data-do=play]");
    if (button.dataset.playing === String(Boolean(ui.timer))) return;
    button.dataset.playing = Boolean(ui.timer);
    button.textContent = ui.timer ? "❚❚ Pause" : "▶ Play";
    button.setAttribute("aria-label", ui.timer ? "Pause" : "Play");
  }

  // ---------------------------------------------------------------- other thresholds
  function propose(ui, rule, settings) {
    ui.plan.wanted = { rule, settings };
    consider(ui);
  }

  /** What is left out of a proposal for the run's own rule is as the run had it. */
  function fullSettings(ui, wanted) {
    const header = ui.run.header;
    return header && header.rule === wanted.rule ? { ...header.settings, ...wanted.settings } : wanted.settings;
  }

  function clearProposal(ui) {
    ui.plan = { ...NO_PLAN };
    redraw(ui);
  }

  function isRecorded(ui, wanted) {
    const header = ui.run.header, settings = fullSettings(ui, wanted);
    return Boolean(header) && header.rule === wanted.rule && Object.keys(header.settings).every((name) => header.settings[name] === settings[name]);
  }

  /** Ask what the wanted settings would select here: at most one question in flight, the latest wins. */
  async function consider(ui) {
    const wanted = ui.plan.wanted, step = ui.at, trace = ui.run.id;
    if (!wanted || step < 0 || isRecorded(ui, wanted)) {
      ui.plan.shown = null;
      return redraw(ui);
    }
    if (ui.asking) return;
    ui.asking = true;
    const answer = await ask(ui, { trace, step, rule: wanted.rule, settings: fullSettings(ui, wanted) });
    ui.asking = false;
    const latest = ui.plan.wanted === wanted && ui.at === step && ui.run.id === trace;
    if (ui.run.id === trace && ui.plan.wanted) receive(ui, answer, wanted);
    if (!latest) consider(ui);
  }

  async function ask(ui, request) {
    try {
      return await ui.tools.server.what_if(request);
    } catch (error) {
      return { error: error.message || String(error) };
    }
  }

  function receive(ui, answer, wanted) {
    notice(ui, answer.error ? `No answer for these settings: ${answer.error}` : "");
    if (answer.error) ui.plan.shown = null;
    else {
      index(answer.decision);
      ui.plan.shown = { ...answer, wanted, add: new Set(answer.added), drop: new Set(answer.dropped) };
    }
    redraw(ui);
  }

  function notice(ui, text) {
    const box = find(ui, ".dx-notice");
    box.textContent = text;
    box.hidden = !text;
  }

  // ---------------------------------------------------------------- drawing: when
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
    if (full) for (const part of [paintBars, paintMap, paintGraph]) part(ui);
    overlay(ui);
    if (full) for (const part of [paintTokens, paintFacts, paintPlan]) part(ui);
    paintSelection(ui);
    ui.root.dataset.steps = ui.run.steps.length;
    ui.root.dataset.step = ui.at;
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

  // ---------------------------------------------------------------- token canvas
  function buildTokens(ui) {
    const { header, came } = ui.run, box = find(ui, ".dx-tokens");
    const groups = [group(ui, "Prompt", 0, header.prompt)];
    for (let start = header.prompt, b = 1; start < header.length; start += header.block, b++) {
      groups.push(group(ui, `Block ${b}`, start, Math.min(start + header.block, header.length)));
    }
    box.replaceChildren(...groups.map((one) => one.box));
    ui.tokens = groups.flatMap((one) => one.tokens);
    ui.groups = groups;
    ui.codes = new Array(came.length).fill("");
    ui.marked = [];
    ui.active = null;
    ui.tokens.forEach((_, p) => reserve(ui, p));
  }

  function group(ui, name, start, end) {
    const tokens = Array.from({ length: end - start }, (_, i) => {
      const token = make("span", "dx-token");
      Object.assign(token.dataset, { testid: `token-${start + i}`, position: start + i });
      token.setAttribute("role", "button");
      token.tabIndex = start + i === 0 ? 0 : -1;
      return token;
    });
    const row = make("div", "dx-row", null, ...tokens);
    return { tokens, start, end, box: make("div", "dx-group", null, make("span", "dx-name", name), row) };
  }

  /** Only tokens whose description changed are touched. */
  function paintTokens(ui) {
    const step = current(ui);
    for (let p = 0; p < ui.tokens.length; p++) {
      const look = tokenLook(ui, step, p), code = `${look.state}|${look.tier}|${look.name}|${look.reason}|${look.token}|${look.at}`;
      if (ui.codes[p] === code) continue;
      ui.codes[p] = code;
      dress(ui, p, look);
    }
    const start = ui.run.header.prompt + step.block * ui.run.header.block;
    if (ui.active !== start) reveal(ui, start);
  }

  /** Mark the active block, and scroll the canvas (not the page) to it. */
  function reveal(ui, start) {
    ui.active = start;
    const box = find(ui, ".dx-tokens"), active = ui.groups.find((one) => one.start === start && one.tokens.length);
    for (const one of ui.groups) one.box.classList.toggle("dx-active", one === active);
    if (active) requestAnimationFrame(() => { box.scrollTop = active.box.offsetTop - box.offsetTop - (box.clientHeight - active.box.offsetHeight) / 2; });
  }

  function tokenLook(ui, step, p) {
    const { header, came, tier, last } = ui.run, here = came[p], plan = proposal(ui);
    const written = here === GIVEN || (here >= 0 && here <= step.index);
    const state = p < header.prompt && here === GIVEN ? "prompt" : written ? "committed" : "masked";
    const refused = step.decision.left.get(p);
    const classes = [
      here === step.index && "dx-fresh", refused && "dx-left", refused && refused[2] !== null && "dx-blocked",
      plan && plan.add.has(p) && "dx-add", plan && plan.drop.has(p) && "dx-drop",
      tier[p] === "filled" && p > 0 && tier[p - 1] === "filled" && written && "dx-fill",
    ];
    return {
      state, tier: written && here >= 0 ? tier[p] : "", name: classes.filter(Boolean).join(" "), reason: refused ? refused[1] : "",
      token: written ? last[p] : refused ? step.predicted[step.rows.get(p)] : -1, at: written && here >= 0 ? here + 1 : "",
    };
  }

  function dress(ui, p, look) {
    const token = ui.tokens[p], text = look.token < 0 ? "" : ui.run.pieces[look.token] ?? "", { dataset } = token;
    token.className = `dx-token ${look.name}`;
    for (const name of ["state", "tier", "reason"]) if (dataset[name] !== look[name]) dataset[name] = look[name];
    if (look.at !== "") dataset.at = look.at;
    else if ("at" in dataset) delete dataset.at;
    if (token.textContent !== text) token.textContent = text;
    const label = look.tier ? ui.theme.looks[look.tier].label : look.reason ? "refused" : "";
    token.setAttribute("aria-label", [`position ${p}`, text, look.state, label].filter(Boolean).join(", "));
  }

  /** Room for what a position finally holds, so that nothing moves while scrubbing. Set when a token becomes known. */
  function reserve(ui, p) {
    const { came, last, tier, pieces, header } = ui.run, prompt = came[p] === GIVEN && p < header.prompt;
    const filled = tier[p] === "filled" && p > 0 && tier[p - 1] === "filled";
    const text = came[p] === NEVER ? "   " : pieces[last[p]] ?? "";
    ui.ruler = ui.ruler || document.createElement("canvas").getContext("2d");
    ui.ruler.font = `650 13px ${ui.theme.mono}`;
    const width = filled ? 8 : clamp(ui.ruler.measureText(text).width + (prompt ? 8 : 22), prompt ? 12 : 28, WIDEST);
    ui.tokens[p].style.width = `${Math.ceil(width)}px`;
    if (width === WIDEST) Object.assign(ui.tokens[p].style, { overflow: "hidden", textOverflow: "ellipsis" });
  }

  // ---------------------------------------------------------------- attention
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

  // ---------------------------------------------------------------- graph
  const HEIGHT = { along: 380, plane: 440 };

  function paintGraph(ui) {
    const stage = find(ui, ".dx-graph .dx-stage"), none = stage.querySelector(".dx-none"), graph = decided(ui).graph;
    none.hidden = Boolean(graph);
    stage.classList.toggle("dx-off", !graph);
    ui.net = null;
    if (!graph) {
      const more = current(ui).attention ? " Choose a rule of the DAWN family to see the graph that it would read here." : "";
      none.textContent = `The rule “${decided(ui).rule}” decides without a dependency graph.${more}`;
      return;
    }
    const area = fit(ui, stage.querySelector(".dx-base"), HEIGHT[ui.layout]);
    if (!area) return;
    ui.net = placeGraph(ui, graph, area);
    paintEdges(ui, area.c, () => true);
    for (const node of ui.net.nodes) paintNode(ui, area.c, node);
    for (const node of named(ui)) nodeText(ui, area.c, node);
    if (ui.layout === "along") paintAxis(ui, area.c);
  }

  /** Nodes and edges with their pixels. @returns {{nodes, edges, byPosition, base, height}} */
  function placeGraph(ui, graph, { width, height }) {
    const base = height - 74, pad = 16, along = ui.layout === "along", [sx, sy] = [(width - 90) / 3.2, (height - 44) / 3.2];
    const nodes = Array.from(graph.nodes, (position, i) => ({
      position, role: graph.roles[i],
      x: along ? pad + graph.along[i] * (width - 2 * pad) : width / 2 - 12 + graph.plane[2 * i] * sx,
      y: along ? base : height / 2 + graph.plane[2 * i + 1] * sy,
    }));
    const byPosition = new Map(nodes.map((node) => [node.position, node]));
    const edges = Array.from(graph.source, (source, i) => {
      const from = byPosition.get(source), to = byPosition.get(graph.target[i]);
      return { source, target: graph.target[i], weight: graph.weight[i], kind: edgeKind(ui, source, graph.target[i]), ...curve(from, to, along, base, width) };
    });
    return { nodes, edges, byPosition, base, height };
  }

  /** evidence: an anchor carries an induced token; conflict: between two masked positions; else other. */
  function edgeKind(ui, source, target) {
    const { taken, left } = decided(ui), one = taken.get(target);
    if (one && one[2].some(([anchor]) => anchor === source)) return "evidence";
    const open = (p) => taken.has(p) || left.has(p);
    return open(source) && open(target) ? "conflict" : "other";
  }

  function curve(from, to, along, base, width) {
    const dx = to.x - from.x, dy = to.y - from.y;
    const rise = along ? 30 + (Math.abs(dx) / width) * (base * 1.9 - 30) : Math.hypot(dx, dy) * 0.14;
    const [mx, my] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
    const length = Math.hypot(dx, dy) || 1;
    const control = along ? [mx, base - rise] : [mx - (dy / length) * rise, my + (dx / length) * rise];
    return { from: [from.x, from.y], control, to: [to.x, to.y] };
  }

  const at = ({ from, control, to }, t) => [0, 1].map((i) => (1 - t) ** 2 * from[i] + 2 * t * (1 - t) * control[i] + t * t * to[i]);

  function paintEdges(ui, c, chosen, strong = false) {
    const colours = palette(ui), tone = { evidence: colours.induced, conflict: colours.conflict, other: colours.faint };
    for (const edge of ui.net.edges) {
      if (!chosen(edge)) continue;
      c.globalAlpha = strong ? 1 : edge.kind === "other" ? 0.34 : 0.8;
      c.strokeStyle = c.fillStyle = tone[edge.kind];
      c.lineWidth = clamp(edge.weight * 14, 0.8, 5) + (strong ? 1 : 0);
      c.setLineDash(edge.kind === "conflict" ? [4, 3] : []);
      c.beginPath();
      c.moveTo(...edge.from);
      c.quadraticCurveTo(...edge.control, ...edge.to);
      c.stroke();
      c.setLineDash([]);
      arrow(c, edge);
    }
    c.globalAlpha = 1;
  }

  function arrow(c, edge) {
    const [x, y] = at(edge, 0.93), [tx, ty] = at(edge, 0.985), angle = Math.atan2(ty - y, tx - x), size = 4 + c.lineWidth;
    c.beginPath();
    c.moveTo(tx, ty);
    c.lineTo(tx - size * Math.cos(angle - 0.42), ty - size * Math.sin(angle - 0.42));
    c.lineTo(tx - size * Math.cos(angle + 0.42), ty - size * Math.sin(angle + 0.42));
    c.fill();
  }

  const RADIUS = { anchor: 5, written: 2.5, later: 2.5, refused: 5, sink: 5 };

  function paintNode(ui, c, node) {
    const colours = palette(ui), { shape } = ui.theme.looks[node.role], r = RADIUS[node.role] || 7, plan = proposal(ui);
    c.beginPath();
    outline(c, shape, node.x, node.y, r);
    c.fillStyle = ["hollow", "ring", "times"].includes(shape) ? colours.panel : colours[node.role];
    if (shape !== "times") c.fill();
    c.strokeStyle = shape === "circle" || shape === "diamond" || shape === "square" ? colours.panel : colours[node.role];
    c.lineWidth = shape === "ring" ? 3 : 1.5;
    c.stroke();
    if (!plan || !(plan.add.has(node.position) || plan.drop.has(node.position))) return;
    c.beginPath();
    c.arc(node.x, node.y, r + 4, 0, 7);
    stroke2(c, plan.add.has(node.position) ? colours.added : colours.dropped, plan.drop.has(node.position) ? [2, 2] : []);
  }

  const LABELLED = { refused: 1, anchor: 2, sink: 3, written: 4, later: 4 };

  /** The nodes whose text has room: what was taken first, then what was refused, then anchors and sinks. */
  function named(ui) {
    const rank = (node) => LABELLED[node.role] || 0, along = ui.layout === "along", placed = [];
    const clear = (node) => placed.every((one) => Math.abs(one.x - node.x) > (along ? 10 : 52) || Math.abs(one.y - node.y) > 11);
    for (const node of [...ui.net.nodes].sort((a, b) => rank(a) - rank(b))) if (rank(node) < 4 && clear(node)) placed.push(node);
    return placed;
  }

  function stroke2(c, colour, dash) {
    c.strokeStyle = colour;
    c.lineWidth = 2.5;
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  }

  function outline(c, shape, x, y, r) {
    const corners = { diamond: [4, 0], square: [4, Math.PI / 4], triangle: [3, -Math.PI / 2], hexagon: [6, 0], pentagon: [5, -Math.PI / 2], wedge: [3, Math.PI / 2], octagon: [8, Math.PI / 8] }[shape];
    if (shape === "times") {
      [[-1, -1, 1, 1], [-1, 1, 1, -1]].forEach(([a, b, d, e]) => { c.moveTo(x + a * r * 0.7, y + b * r * 0.7); c.lineTo(x + d * r * 0.7, y + e * r * 0.7); });
    } else if (corners) {
      for (let i = 0; i <= corners[0]; i++) {
        const angle = corners[1] + (2 * Math.PI * i) / corners[0];
        c[i ? "lineTo" : "moveTo"](x + r * 1.15 * Math.cos(angle), y + r * 1.15 * Math.sin(angle));
      }
    } else c.arc(x, y, r, 0, 7);
  }

  /** Text that stands at a position in the shown step: written, predicted, or nothing. */
  function textAt(ui, p) {
    const { came, last, pieces } = ui.run, step = current(ui);
    if (came[p] === GIVEN || (came[p] >= 0 && came[p] <= step.index)) return pieces[last[p]] ?? "";
    return step.rows.has(p) ? pieces[step.predicted[step.rows.get(p)]] ?? "" : "";
  }

  const cut = (text, n) => ([...text].length > n ? [...text].slice(0, n - 1).join("") + "…" : text);

  function nodeText(ui, c, node) {
    const colours = palette(ui), along = ui.layout === "along", quiet = ["sink", "anchor"].includes(node.role);
    c.font = `${quiet ? 9 : 11}px ${ui.theme.mono}`;
    c.fillStyle = quiet || node.role === "refused" ? colours.soft : colours.ink;
    c.textAlign = along ? "right" : "left";
    c.textBaseline = "middle";
    c.save();
    c.translate(node.x + (along ? 0 : 10), node.y + (along ? 11 : 0));
    if (along) c.rotate(-Math.PI / 2.6);
    c.fillText(cut(textAt(ui, node.position), 8), 0, 0);
    c.restore();
  }

  function paintAxis(ui, c) {
    const colours = palette(ui), { base } = ui.net, inside = ui.net.nodes.filter((node) => current(ui).rows.has(node.position));
    c.globalCompositeOperation = "destination-over";
    c.fillStyle = colours.raised;
    const [a, b] = [inside[0].x - 8, inside[inside.length - 1].x + 8];
    c.fillRect(a, 4, b - a, ui.net.height - 8);
    c.globalCompositeOperation = "source-over";
    label(ui, c, `block ${current(ui).block + 1}`, a + 6, 13, colours.soft, "left");
    label(ui, c, "before it", 16, 13, colours.soft, "left");
    stroke(c, colours.line, [[4, base + 0.5], [a, base + 0.5]]);
  }

  // ---------------------------------------------------------------- selection: one, everywhere
  const selected = (ui) => ui.locked || ui.hovered;

  function select(ui, selection, lock) {
    if (!lock) ui.hovered = selection;
    else ui.locked = ui.locked && selection && same(ui.locked, selection) ? null : selection;
    redraw(ui, true);
  }

  function unlock(ui) {
    ui.locked = ui.hovered = null;
    redraw(ui, true);
  }

  /** The marks above map and graph; with nothing selected, now or before, there is nothing to draw or to wipe. */
  function overlay(ui) {
    const selection = selected(ui);
    if (!selection && !ui.overlaid) return;
    overMap(ui, selection);
    overGraph(ui, selection);
    ui.overlaid = Boolean(selection);
  }

  function paintSelection(ui) {
    const selection = selected(ui), lock = find(ui, ".dx-lock");
    const words = ui.locked ? "locked: Esc unlocks" : "hover or click a token";
    if (lock.textContent !== words) lock.textContent = words;
    markTokens(ui, selection);
    paintCard(ui, selection);
  }

  /** Positions that a decision ties to this one: its anchors, its blocker. */
  function relatives(ui, p) {
    const one = decided(ui).taken.get(p) || pastCommit(ui, p), refused = decided(ui).left.get(p);
    return one ? one[2].map(([anchor]) => anchor) : refused && refused[2] !== null ? [refused[2]] : [];
  }

  function pastCommit(ui, p) {
    const k = ui.run.came[p];
    return k >= 0 && k <= ui.at ? ui.run.steps[k].decision.taken.get(p) : undefined;
  }

  function markTokens(ui, selection) {
    for (const token of ui.marked) token.classList.remove("dx-selected", "dx-related");
    ui.marked = [];
    if (!selection) return;
    const mark = (p, name) => { ui.tokens[p].classList.add(name); ui.marked.push(ui.tokens[p]); };
    mark(selection.position, "dx-selected");
    for (const p of relatives(ui, selection.position).concat(selection.other ?? [])) if (p !== selection.position) mark(p, "dx-related");
  }

  function overMap(ui, selection) {
    if (!ui.map) return;
    const area = fit(ui, find(ui, ".dx-map .dx-over"), STRIP + GAP + ui.map.rows * ui.map.cell + 18);
    if (!area || !selection) return;
    const { c } = area, { x, y, width, cell, rows, columns } = ui.map, colour = palette(ui).select;
    const row = current(ui).rows.get(selection.position), column = selection.other ?? selection.position;
    c.strokeStyle = colour;
    c.lineWidth = 1.5;
    if (row !== undefined) c.strokeRect(x(0), y(row), columns * width, cell);
    c.strokeRect(x(column), 6, Math.max(2, width), y(rows) - 6);
  }

  function overGraph(ui, selection) {
    if (!ui.net) return;
    const area = fit(ui, find(ui, ".dx-graph .dx-over"), ui.net.height), node = selection && ui.net.byPosition.get(selection.position);
    if (!area || !node) return;
    const { position, other } = selection, exact = other !== null && other !== undefined;
    const touches = (edge) => (exact ? edge.target === position && edge.source === other : edge.target === position || edge.source === position);
    paintEdges(ui, area.c, touches, true);
    for (const one of [node, exact && ui.net.byPosition.get(other)]) {
      if (!one) continue;
      area.c.beginPath();
      area.c.arc(one.x, one.y, 10, 0, 7);
      stroke2(area.c, palette(ui).select, []);
    }
  }

  // ---------------------------------------------------------------- the card
  function paintCard(ui, selection) {
    const key = JSON.stringify([selection, selection ? ui.at : hint(ui), ui.run.id, proposal(ui) && proposal(ui).wanted, ui.run.steps.length]);
    if (ui.cardFor === key) return;
    ui.cardFor = key;
    const card = find(ui, ".dx-card");
    if (!selection) return card.replaceChildren(make("p", "dx-soft", hint(ui)));
    const p = selection.position, lines = story(ui, p), plan = planLine(ui, p);
    const head = make("p", "dx-cardhead", null, make("b", "", `${p}`), make("code", "", textAt(ui, p) || "masked"), tag(ui, p));
    card.replaceChildren(head, ...lines.map((line) => sentence(ui, line)));
    if (selection.other !== null && selection.other !== undefined) card.append(cellLine(ui, selection));
    if (plan) card.append(make("p", "dx-planline", plan));
    card.append(...chances(ui, p));
  }

  function hint(ui) {
    const none = current(ui).decision.committed.length;
    return `This step took ${none} token${none === 1 ? "" : "s"} at once. Point at a token to read why it was taken, or why it still waits.`;
  }

  function tag(ui, p) {
    const look = tokenLook(ui, current(ui), p), name = look.tier ? ui.theme.looks[look.tier].label : look.reason ? "refused" : look.state;
    const element = make("span", "dx-tag", name);
    element.dataset.tier = look.tier;
    return element;
  }

  /** A sentence: text and positions, positions as buttons that select them. */
  function sentence(ui, parts) {
    return make("p", "", null, ...[].concat(parts).map((part) => (typeof part === "object" ? link(ui, part.position) : part)));
  }

  function link(ui, position) {
    const button = make("button", "dx-link", `${position} ${textAt(ui, position)}`);
    button.type = "button";
    button.addEventListener("click", () => select(ui, { position, other: null }, true));
    return button;
  }

  /** What happened to a position, as lines of text and positions. */
  function story(ui, p) {
    const { came, header } = ui.run, step = current(ui), k = came[p];
    if (k === GIVEN) return [givenStory(ui, p, p < header.prompt ? "Part of the prompt." : "Written before this run began.")];
    if (k >= 0 && k <= step.index) return takenStory(ui, p, ui.run.steps[k]);
    const refused = step.decision.left.get(p);
    return [refused ? refusedStory(step, refused) : "Masked, in a later block: the decoder does not choose there yet."];
  }

  function givenStory(ui, p, words) {
    const step = current(ui), confidence = step.confidence[p], high = step.decision.settings.high;
    if (!(confidence >= 0) || high === undefined) return words;
    if (step.decision.sinks.has(p)) return `${words} A sink in this step: nearly everything looks at it, so its column is removed.`;
    const [a, b] = pair(confidence, level(high)), enough = confidence >= level(high);
    return `${words} The model gives its place ${a} now, ${enough ? `at least high ${b}: it can serve as an anchor` : `below high ${b}: it is no anchor`}.`;
  }

  function takenStory(ui, p, step) {
    if (ui.run.tier[p] === "filled") return [`Filled with end of text after step ${step.index + 1}: the answer had ended.`];
    const [, tier, evidence] = step.decision.taken.get(p), c = step.confidence[p];
    const when = step.index === ui.at ? "Taken in this step." : `Taken in step ${step.index + 1}.`;
    const lines = [`${when} ${tierWords(tier, c, step.decision)}`];
    if (evidence.length) lines.push(["It depends on ", ...evidence.slice(0, 5).flatMap(([anchor, weight], i) => [i ? ", " : "", { position: anchor }, ` (${edgeWords(weight, step.decision)})`]), evidence.length > 5 ? ` and ${evidence.length - 5} more.` : "."]);
    return lines;
  }

  const edgeWords = (weight, decision) => { const [a, b] = pair(weight, level(decision.settings.edge)); return `${a} ≥ edge ${b}`; };

  function tierWords(tier, c, { settings, rule }) {
    const against = (name) => pair(c, level(settings[name]));
    if (tier === "high") { const [a, b] = against("high"); return `Confidence ${a}, at least high ${b}: taken whatever it depends on.`; }
    if (tier === "induced") { const [a, b] = against("induced"); return `Confidence ${a}, below high ${plain(settings.high)}, but an anchor lowers the bar to induced ${b}.`; }
    if (tier === "conflict_free") { const [a, b] = against("low"); return `Confidence ${a}, at least low ${b}, and in conflict with no other token taken.`; }
    if (tier === "nearby") { const [a, b] = against("relaxed"); return `Confidence ${a}, below high ${plain(settings.high)}, but within ${settings.radius} positions of one that reaches high, where relaxed ${b} is enough.`; }
    if (tier === "stable") { const [a, b] = against("kappa"); return `Confidence ${a}, above kappa ${b}, and its distribution has changed by less than epsilon ${plain(settings.epsilon)} in each of the last ${settings.history} steps.`; }
    if (tier === "ranked") return `Confidence ${number(c)}: it stands early enough in the ranking to be within the bound of the rule “${rule}”.`;
    if (tier === "forced" && settings.high === undefined) return `Confidence ${number(c)}, the first in the ranking: no other was within the bound of the rule “${rule}”, and a step takes at least one.`;
    if (tier === "forced") return `Confidence ${number(c)}: nothing reached a threshold, so the most confident position was taken.`;
    return `Confidence ${number(c)}, among the first in the ranking: the rule “${rule}” takes a fixed number per step.`;
  }

  function refusedStory(step, [p, reason, blocker, weight]) {
    const c = step.confidence[p], settings = step.decision.settings, by = blocker === null ? [] : [{ position: blocker }];
    const link = weight === null ? "" : ` by an edge of ${settings.edge === undefined ? number(weight) : edgeWords(weight, step.decision)}`;
    if (reason === "conflict") return [`Not taken. Confidence ${number(c)} would do, but it is in conflict with `, ...by, `${link}, which was taken first.`];
    if (reason === "dropped") return [`Not taken. Confidence ${number(c)} would do, but it is in conflict with `, ...by, `${link}, which was more confident (${pair(step.confidence[blocker], c).join(" > ")}).`];
    if (reason === "outranked") return `Not taken. Confidence ${number(c)}: others stood before it in the ranking.`;
    if (reason === "unstable") { const [a, b] = pair(c, level(settings.kappa)); return `Not taken. Confidence ${a}, above kappa ${b}, but its distribution still changes by epsilon ${plain(settings.epsilon)} or more.`; }
    if (settings.kappa !== undefined) { const [a, b] = pair(c, level(settings.kappa)); return `Not taken. Confidence ${a}, not above kappa ${b}.`; }
    if (settings.factor !== undefined) return `Not taken. Confidence ${number(c)}, below what the factor rule asks of its rank.`;
    if (settings.relaxed !== undefined && c >= level(settings.relaxed)) { const [a, b] = pair(c, level(settings.relaxed)); return `Not taken. Confidence ${a} reaches relaxed ${b}, but nothing within ${settings.radius} positions reaches high ${plain(settings.high)}.`; }
    const bar = ["relaxed", "low", "induced", "high"].filter((name) => settings[name] !== undefined).sort((a, b) => settings[a] - settings[b])[0];
    const [a, b] = pair(c, level(settings[bar]));
    return c < level(settings[bar]) ? `Not taken. Confidence ${a}, below ${bar} ${b}, the lowest bar there is.` : `Not taken. Confidence ${a} reaches ${bar} ${b}, but no anchor supports it, and low is ${plain(settings.low)}.`;
  }

  function cellLine(ui, { position, other }) {
    const step = current(ui), row = step.rows.get(position);
    if (row === undefined || !step.attention) return make("span");
    const weight = step.attention[row * ui.run.header.length + other] / UNIT;
    return sentence(ui, [`It looks at `, { position: other }, ` with weight ${number(weight, 4)}.`]);
  }

  function planLine(ui, p) {
    const plan = proposal(ui);
    if (!plan) return "";
    if (plan.add.has(p)) return `With the thresholds set now it would be taken: ${ui.theme.looks[plan.decision.taken.get(p)[1]].label}.`;
    if (plan.drop.has(p)) return "With the thresholds set now it would not be taken here.";
    return "";
  }

  /** The model's first choices at a window position, as bars. */
  function chances(ui, p) {
    const step = current(ui), row = step.rows.get(p);
    if (row === undefined || !step.choices) return [];
    const k = step.choices.length / step.window.length, list = make("ol", "dx-chances");
    for (let i = row * k; i < (row + 1) * k; i++) {
      const value = step.probabilities[i], item = make("li", "", null, make("code", "", ui.run.pieces[step.choices[i]] ?? ""), make("span", "dx-share"), make("span", "", number(value)));
      item.style.setProperty("--dx-share", value);
      list.append(item);
    }
    return [make("h5", "", "What the model would write here"), list];
  }

  // ---------------------------------------------------------------- what if, in words
  function paintPlan(ui) {
    const box = find(ui, "[data-testid=whatif]"), plan = proposal(ui), wanted = ui.plan.wanted;
    const waiting = wanted && !plan && !isRecorded(ui, wanted);
    const words = plan ? planWords(ui, plan) : waiting ? "Asking what these thresholds would take here…" : wanted ? "Same as recorded: these are the thresholds of this run." : "Move a threshold: this step is decided again at once, from the recorded numbers.";
    if (box.textContent !== words) box.textContent = words;
    Object.assign(box.dataset, {
      state: plan ? (plan.added.length + plan.dropped.length ? "differs" : "equal") : waiting ? "waiting" : wanted ? "recorded" : "none",
      added: plan ? plan.added.join() : "", dropped: plan ? plan.dropped.join() : "",
      settings: plan ? JSON.stringify(plan.decision.settings) : "", step: plan ? plan.step : "",
    });
  }

  function planWords(ui, plan) {
    if (!plan.added.length && !plan.dropped.length) return "With these thresholds, this step takes the same tokens.";
    const names = (list) => list.slice(0, 6).map((p) => `${p} ‘${textAt(ui, p)}’`).join(", ") + (list.length > 6 ? ` and ${list.length - 6} more` : "");
    const parts = [plan.added.length ? `${plan.added.length} more: ${names(plan.added)}` : "", plan.dropped.length ? `${plan.dropped.length} fewer: ${names(plan.dropped)}` : ""];
    return `With these thresholds, this step would take ${parts.filter(Boolean).join("; ")}. This judges one step: for what follows, decode again.`;
  }

  // ---------------------------------------------------------------- pointing
  const place = (event, element) => { const box = element.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  function cellAt(ui, x, y) {
    const { map } = ui;
    if (!map) return null;
    const column = Math.floor((x - GUTTER) / map.width), row = Math.floor((y - STRIP - GAP) / map.cell);
    if (column < 0 || column >= map.columns || row >= map.rows) return null;
    return row < 0 ? { selection: { position: column, other: null }, text: receivedWords(ui, column) } : cellHit(ui, row, column);
  }

  const receivedWords = (ui, p) => `column ${p} “${textAt(ui, p)}” receives ${number(current(ui).received[p], 5)}${decided(ui).sinks.has(p) ? " · sink, removed" : ""}`;

  function cellHit(ui, row, column) {
    const step = current(ui), position = step.window[row], weight = step.attention[row * ui.map.columns + column] / UNIT;
    const more = decided(ui).sinks.has(column) ? " · sink, removed" : column === position ? " · itself" : "";
    return { selection: { position, other: column }, text: `row ${position} “${textAt(ui, position)}” → column ${column} “${textAt(ui, column)}”: ${number(weight, 4)}${more}` };
  }

  function graphAt(ui, x, y) {
    const { net } = ui;
    if (!net) return null;
    const near = net.nodes.map((node) => [Math.hypot(node.x - x, (node.y - y) * (ui.layout === "along" && y > node.y ? 0.25 : 1)), node]).sort((a, b) => a[0] - b[0])[0];
    if (near && near[0] < 12) return { selection: { position: near[1].position, other: null }, text: nodeWords(ui, near[1]) };
    const edge = net.edges.map((one) => [distance(one, x, y), one]).sort((a, b) => a[0] - b[0])[0];
    if (!edge || edge[0] > 6) return null;
    const { source, target, weight, kind } = edge[1], words = { evidence: "anchor", conflict: "conflict", other: "dependency" };
    return { selection: { position: target, other: source }, text: `${target} “${textAt(ui, target)}” depends on ${source} “${textAt(ui, source)}”: ${number(weight, 4)} · ${words[kind]}` };
  }

  const nodeWords = (ui, node) => `${node.position} “${textAt(ui, node.position)}” · ${ui.theme.looks[node.role].label}: ${ui.theme.looks[node.role].words}`;

  function distance(edge, x, y) {
    let best = Infinity;
    for (let t = 0.04; t < 1; t += 0.04) {
      const [ex, ey] = at(edge, t);
      best = Math.min(best, Math.hypot(ex - x, ey - y));
    }
    return best;
  }

  function tip(ui, event, text) {
    const box = find(ui, ".dx-tip"), [x, y] = place(event, ui.root);
    box.hidden = !text;
    if (!text) return;
    box.textContent = text;
    box.style.transform = `translate(${clamp(x + 14, 4, Math.max(4, ui.root.clientWidth - box.offsetWidth - 4))}px, ${y + 16}px)`;
  }

  function watchStage(ui, selector, hit) {
    const stage = find(ui, selector);
    stage.addEventListener("pointermove", (event) => {
      const found = hit(ui, ...place(event, stage));
      tip(ui, event, found && found.text);
      if (!ui.locked || found) select(ui, found && found.selection, false);
    });
    stage.addEventListener("pointerleave", (event) => { tip(ui, event, ""); select(ui, null, false); });
    stage.addEventListener("click", (event) => {
      const found = hit(ui, ...place(event, stage));
      select(ui, found && found.selection, true);
    });
  }

  function watchTokens(ui) {
    const box = find(ui, ".dx-tokens"), over = (event) => event.target.closest(".dx-token");
    const selection = (token) => token && { position: Number(token.dataset.position), other: null };
    box.addEventListener("pointerover", (event) => select(ui, selection(over(event)), false));
    box.addEventListener("pointerleave", () => select(ui, null, false));
    box.addEventListener("pointerdown", (event) => { event.preventDefault(); ui.root.focus({ preventScroll: true }); }); // arrows go on scrubbing
    box.addEventListener("click", (event) => over(event) && select(ui, selection(over(event)), true));
    box.addEventListener("focusin", (event) => over(event) && rove(ui, over(event)));
    box.addEventListener("keydown", (event) => tokenKey(ui, event, over(event)));
  }

  function rove(ui, token) {
    if (ui.roving) ui.roving.tabIndex = -1;
    else ui.tokens[0].tabIndex = -1;
    token.tabIndex = 0;
    ui.roving = token;
  }

  /** In the canvas the arrows walk from token to token; Enter locks. */
  function tokenKey(ui, event, token) {
    const p = token && Number(token.dataset.position), go = { ArrowLeft: p - 1, ArrowRight: p + 1 }[event.key];
    if (!token || (go === undefined && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    if (go === undefined) return select(ui, { position: p, other: null }, true);
    const next = ui.tokens[clamp(go, 0, ui.tokens.length - 1)];
    next.focus();
    select(ui, { position: Number(next.dataset.position), other: null }, false);
  }

  // ---------------------------------------------------------------- keys and buttons
  const ACTIONS = {
    first: (ui) => move(ui, 0), last: (ui) => move(ui, Infinity), back: (ui) => move(ui, ui.at - 1), forward: (ui) => move(ui, ui.at + 1), play,
    fork: (ui) => ui.tools.trigger(ui.tools.fork, { trace: ui.run.id, step: ui.at }), along: (ui) => arrange(ui, "along"), plane: (ui) => arrange(ui, "plane"), expand,
  };
  const KEYS = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play" };

  function move(ui, k) {
    stop(ui);
    show(ui, k);
  }

  function arrange(ui, layout) {
    ui.layout = layout;
    for (const name of ["along", "plane"]) find(ui, `[data-do=${name}]`).setAttribute("aria-pressed", name === layout);
    redraw(ui);
  }

  function expand(ui, button) {
    const wide = button.closest(".dx-panel").classList.toggle("dx-wide");
    button.setAttribute("aria-pressed", wide);
    measure(ui);
  }

  /** Sizes or theme may have changed: measure and draw everything anew. */
  function measure(ui) {
    ui.widths = new Map();
    ui.barsFor = null;
    redraw(ui);
  }

  function key(ui, event) {
    if (event.key === "Escape") return unlock(ui);
    const typing = event.target.closest("select, button, input:not([type=range])");
    if (!KEYS[event.key] || event.altKey || event.ctrlKey || event.metaKey || (typing && event.key === " ") || event.target.closest("select")) return;
    event.preventDefault();
    ACTIONS[KEYS[event.key]](ui);
  }

  function wire(ui) {
    ui.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) ACTIONS[button.dataset.do](ui, button);
    });
    ui.root.addEventListener("keydown", (event) => key(ui, event));
    find(ui, "[data-testid=scrubber]").addEventListener("input", (event) => move(ui, Number(event.target.value)));
    watchTokens(ui);
    watchStage(ui, ".dx-map .dx-stage", cellAt);
    watchStage(ui, ".dx-graph .dx-stage", graphAt);
    const again = () => measure(ui);
    new ResizeObserver(again).observe(ui.root);
    new MutationObserver(again).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  // ---------------------------------------------------------------- legend
  function paintLegend(ui) {
    const { looks, tiers, roles } = ui.theme;
    const item = (name, extra) => {
      const swatch = make("i", "dx-swatch");
      Object.assign(swatch.dataset, extra);
      const one = make("span", "", null, swatch, looks[name].label);
      one.title = looks[name].words;
      return one;
    };
    const lines = ["evidence", "conflict", "other"].map((kind, i) => make("span", "", null, make("i", `dx-line dx-${kind}`), ["leans on an anchor", "conflict", "other dependency"][i]));
    find(ui, ".dx-legend").replaceChildren(make("b", "", "Taken as"), ...tiers.map((tier) => item(tier, { tier })), make("b", "", "Others"), ...roles.map((role) => item(role, { role })), make("b", "", "Arrows"), ...lines);
  }

  /** Start the explorer inside a gr.HTML. tools: trigger, props, server, watch (Gradio's), theme (viz/theme.py), fork (event name). */
  window.mountDawnExplorer = (element, tools) => {
    const ui = {
      root: element.querySelector("#explorer"), tools, theme: tools.theme, value: {}, run: emptyRun(undefined), plan: { ...NO_PLAN },
      at: -1, following: true, layout: "along", hovered: null, locked: null, tokens: [], marked: [], groups: [], widths: new Map(),
    };
    wire(ui);
    paintLegend(ui);
    tools.watch("value", () => follow(ui));
    window.dawnExplorer = { propose: (rule, settings) => propose(ui, rule, settings), clearProposal: () => clearProposal(ui), show: (k) => move(ui, k) };
    follow(ui);
  };
})();
