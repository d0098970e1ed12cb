/* The comparison: two recorded runs at the same moment. Owns what is shown; asks Python once per run for its steps and once per pair
   for moments, differences and figures. No request while scrubbing. Text of people and models is written as text. */
(() => {
  "use strict";

  const GIVEN = -2, NEVER = -1; // in `came`: there before the run; not written
  const SIDES = ["left", "right"], OTHER = { left: "right", right: "left" };
  const HEIGHT = { along: 220, plane: 320 }, WIDEST = 200;
  const { make, unpack, tierBar, table, time, player } = window.dawnParts;

  const find = (ui, selector) => ui.root.querySelector(selector);
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const number = (value, digits) => value.toFixed(digits).replace(/^0\./, ".");

  // ---------------------------------------------------------------- runs
  /** A run with all its steps: fetched once, kept. */
  async function load(ui, id) {
    if (ui.runs.has(id)) return ui.runs.get(id);
    const run = { id, header: null, steps: [], pieces: {} }, known = ui.choices.find((one) => one.trace === id);
    while (run.steps.length < known.steps) {
      const answer = await ui.tools.server.fetch({ trace: id, from: run.steps.length });
      if (answer.error) throw new Error(answer.error);
      const document = await unpack(answer.body);
      if (!document.steps.length) throw new Error("the trace ends too early");
      run.header = document.header || run.header;
      Object.assign(run.pieces, document.pieces);
      run.steps.push(...document.steps);
    }
    ui.runs.set(id, remember(run));
    return run;
  }

  /** When each position was written, with which token and tier. */
  function remember(run) {
    const { tokens, mask, length } = run.header;
    run.last = Int32Array.from(tokens);
    run.came = Int32Array.from(tokens, (token) => (token === mask ? NEVER : GIVEN));
    run.tier = new Array(length).fill("");
    for (const step of run.steps) {
      const rows = new Map([...step.window].map((p, row) => [p, row]));
      const write = (p, tier, token) => { run.came[p] = step.index; run.tier[p] = tier; run.last[p] = token; };
      for (const [p, tier] of step.decision.committed) write(p, tier, step.predicted[rows.get(p)]);
      for (const p of step.filled) write(p, "filled", step.end);
    }
    return run;
  }

  // ---------------------------------------------------------------- choosing
  function follow(ui) {
    const value = ui.tools.props.value || {};
    if (!value.choices || (ui.back && !value.own)) return; // the address may ask for the visitor's own traces, which come next
    ui.choices = value.choices;
    const there = (id) => ui.choices.some((one) => one.trace === id), asked = ui.back || value;
    const keep = (side, otherwise) => [asked[side], ui.ids[side]].find(there) ?? otherwise;
    const [first, second] = [ui.choices[0], ui.choices[1] || ui.choices[0]].map((one) => one && one.trace);
    options(ui);
    choose(ui, { left: keep("left", first), right: keep("right", second) });
  }

  function options(ui) {
    for (const side of SIDES) {
      const named = ui.choices.map((one) => {
        const option = make("option", "", `${one.source}: ${one.rule}, ${one.steps} steps. ${one.title}`);
        option.value = one.trace;
        return option;
      });
      find(ui, `[data-testid=${side}]`).replaceChildren(...named);
    }
  }

  /** Show a pair: its runs, and what Python says of the two. The latest choice wins. */
  async function choose(ui, ids) {
    const changed = SIDES.some((side) => ui.ids[side] !== ids[side]);
    for (const side of SIDES) find(ui, `[data-testid=${side}]`).value = ids[side] || "";
    if (!changed || !ids.left || !ids.right) return;
    ui.ids = ids;
    ui.root.dataset.ready = "false";
    try {
      const [left, right, told] = await Promise.all([load(ui, ids.left), load(ui, ids.right), ui.tools.server.compare(ids)]);
      if (told.error) throw new Error(told.error);
      if (ui.ids === ids) open(ui, { left, right }, told);
    } catch (error) {
      if (ui.ids === ids) notice(ui, `These traces cannot be shown: ${error.message || error}`);
    }
  }

  function open(ui, runs, told) {
    ui.player.stop();
    Object.assign(ui, { shown: runs, told, hovered: null, next: 0 });
    notice(ui, told.apart ? `Token by token these two cannot be compared: ${told.apart}. Figures and graphs still can.` : "");
    for (const side of SIDES) build(ui, side);
    find(ui, "[data-do=parting]").disabled = !told.parting;
    find(ui, "[data-do=differing]").disabled = !told.differing.length;
    figures(ui);
    differences(ui);
    says(ui, told.apart ? "" : summary(told));
    ui.root.dataset.ready = "true";
    if (ui.back) land(ui, ui.back);
    else rescale(ui, Infinity);
  }

  // ---------------------------------------------------------------- the page's address
  /** What the address asked for when the page opened; null if nothing of this. */
  function askedFor() {
    const { left, right, moment, mode } = window.dawnAddress.asked;
    return left || right ? { left, right, mode, moment: /^[1-9]\d{0,5}$/.test(moment) ? moment - 1 : Infinity } : null;
  }

  function land(ui, asked) {
    const gone = SIDES.filter((side) => asked[side] && asked[side] !== ui.ids[side]);
    ui.back = null;
    if (asked.mode === "tokens") turn(ui, "tokens");
    rescale(ui, asked.moment);
    if (gone.length) notice(ui, `The ${gone.join(" and the ")} trace of this address ${gone.length > 1 ? "are" : "is"} not among yours, or no longer on this server: another one is shown.`);
  }

  /** What the address names of the comparison, while it is the tab that is shown. */
  function addressParts(ui, tab) {
    return tab === "compare" && ui.shown ? { ...ui.ids, moment: ui.k + 1, mode: ui.mode === "tokens" ? "tokens" : null } : {};
  }

  function summary({ parting, differing }) {
    if (!parting && !differing.length) return "The two runs never differ after the same step.";
    const words = differing.length ? `${differing.length} position${differing.length > 1 ? "s were" : " was"} written with different tokens.` : "All that both wrote is the same.";
    return parting ? `The canvases first differ after step ${parting.step + 1}. ${words}` : words;
  }

  function notice(ui, text) {
    const box = find(ui, ".dx-notice");
    box.textContent = text;
    box.hidden = !text;
  }

  function says(ui, text) {
    find(ui, ".cx-says").textContent = text;
  }

  // ---------------------------------------------------------------- moments
  const moments = (ui) => (ui.told ? ui.told.moments[ui.mode] : []);

  /** The range of the scrubber for this pair and mode; then show moment k. */
  function rescale(ui, k) {
    find(ui, "[data-testid=moment]").max = Math.max(0, moments(ui).length - 1);
    ui.root.dataset.moments = moments(ui).length;
    show(ui, k);
  }

  function show(ui, k) {
    if (!moments(ui).length) return;
    ui.k = clamp(k, 0, moments(ui).length - 1);
    [ui.at.left, ui.at.right] = moments(ui)[ui.k];
    const scrubber = find(ui, "[data-testid=moment]");
    if (Number(scrubber.value) !== ui.k) scrubber.value = ui.k;
    window.dawnAddress.changed();
    redraw(ui);
  }

  /** The first moment that shows these steps or later ones. */
  function momentOf(ui, [left, right]) {
    const found = moments(ui).findIndex(([a, b]) => a >= left && b >= right);
    return found < 0 ? Infinity : found;
  }

  function turn(ui, mode) {
    const held = ui.at.left;
    ui.mode = mode;
    for (const name of ["steps", "tokens"]) find(ui, `[data-do=${name}]`).setAttribute("aria-pressed", name === mode);
    rescale(ui, momentOf(ui, [held, -1]));
  }

  // ---------------------------------------------------------------- jumping
  const quoted = (text, mask) => (text === mask ? "nothing yet" : `“${text}”`);

  function jumpToParting(ui) {
    const { step, positions, left, right } = ui.told.parting, mask = "⟨mask⟩";
    if (ui.mode !== "steps") turn(ui, "steps");
    show(ui, step);
    const some = positions.slice(0, 4).map((p, i) => `${p} (${quoted(left[i], mask)} left, ${quoted(right[i], mask)} right)`);
    const more = positions.length > 4 ? ` and ${positions.length - 4} more` : "";
    says(ui, `After step ${step + 1} the canvases differ for the first time, at ${some.join(", ")}${more}.`);
    point(ui, positions[0], true);
  }

  function jumpToDiffering(ui) {
    const one = ui.told.differing[ui.next % ui.told.differing.length];
    ui.next = (ui.next + 1) % ui.told.differing.length;
    jumpTo(ui, one);
  }

  function jumpTo(ui, one) {
    show(ui, momentOf(ui, one.steps));
    says(ui, `Position ${one.position}: left wrote “${one.left}” ${stepWords(one.steps[0])}, right “${one.right}” ${stepWords(one.steps[1])}.`);
    point(ui, one.position, true);
  }

  const stepWords = (step) => (step < 0 ? "before the run" : `in step ${step + 1}`);

  // ---------------------------------------------------------------- tokens
  function build(ui, side) {
    const { header, tier, last, came, pieces } = ui.shown[side], box = find(ui, `.cx-side[data-side=${side}] .dx-tokens`);
    const spans = Array.from(last, (token, p) => {
      const span = make("span", "dx-token");
      Object.assign(span.dataset, { testid: `${side}-${p}`, position: p });
      span.setAttribute("role", "img");
      const text = came[p] === NEVER ? "" : pieces[token] ?? "", filled = tier[p] === "filled" && tier[p - 1] === "filled";
      span.style.width = `${filled ? 8 : Math.ceil(clamp(ui.ruler.measureText(text).width + 14, 18, WIDEST))}px`;
      return span;
    });
    const groups = [[0, header.prompt, "Prompt"]];
    for (let start = header.prompt, b = 1; start < header.length; start += header.block, b++) groups.push([start, Math.min(start + header.block, header.length), `Block ${b}`]);
    box.replaceChildren(...groups.map(([a, b, name]) => make("div", "dx-group", null, make("span", "dx-name", name), make("div", "dx-row", null, ...spans.slice(a, b)))));
    const title = ui.choices.find((one) => one.trace === ui.ids[side]);
    find(ui, `.cx-side[data-side=${side}] h3 small`).textContent = title ? `${title.rule} · ${title.model}` : "";
    ui.tokens[side] = spans;
    ui.codes[side] = new Array(spans.length).fill("");
  }

  const written = (run, p, step) => run.came[p] === GIVEN || (run.came[p] >= 0 && run.came[p] <= step);

  /** differs: both wrote, not the same; alone: only this side wrote. */
  function mark(ui, side, p) {
    if (ui.told.apart) return "";
    const [mine, theirs] = [side, OTHER[side]].map((one) => ({ run: ui.shown[one], is: written(ui.shown[one], p, ui.at[one]) }));
    if (!mine.is) return "";
    return !theirs.is ? "alone" : mine.run.last[p] === theirs.run.last[p] ? "" : "differs";
  }

  function paintTokens(ui, side) {
    const run = ui.shown[side], step = ui.at[side];
    for (let p = 0; p < ui.tokens[side].length; p++) {
      const is = written(run, p, step), state = !is ? "masked" : p < run.header.prompt ? "prompt" : "committed", kind = mark(ui, side, p);
      const code = `${state}|${is && run.came[p] === step}|${kind}|${ui.hovered === p}`;
      if (ui.codes[side][p] === code) continue;
      ui.codes[side][p] = code;
      dress(ui, side, p, { is, state, kind, fresh: is && run.came[p] === step });
    }
  }

  function dress(ui, side, p, { is, state, kind, fresh }) {
    const run = ui.shown[side], span = ui.tokens[side][p], text = is ? run.pieces[run.last[p]] ?? "" : "";
    const fill = is && run.tier[p] === "filled" && run.tier[p - 1] === "filled";
    const names = ["dx-token", fresh && "dx-fresh", fill && "dx-fill", kind && `cx-${kind}`, ui.hovered === p && "cx-mine"];
    span.className = names.filter(Boolean).join(" ");
    Object.assign(span.dataset, { state, tier: is && run.came[p] >= 0 ? run.tier[p] : "", mark: kind });
    if (span.textContent !== text) span.textContent = text;
    const words = { differs: "differs from the other side", alone: "written on this side only", "": "" }[kind];
    span.setAttribute("aria-label", [`position ${p}`, text || "masked", words].filter(Boolean).join(", "));
  }

  function paintFacts(ui, side) {
    const run = ui.shown[side], step = ui.at[side], taken = step < 0 ? 0 : run.steps[step].decision.committed.length;
    const count = run.came.reduce((sum, came) => sum + (came >= 0 && came <= step), 0);
    const lines = [step < 0 ? "Before the first step" : `Step ${step + 1} of ${run.steps.length}`, `${count} written`, step < 0 ? "" : `${taken} in this step`];
    find(ui, `.cx-side[data-side=${side}] .dx-facts`).replaceChildren(...lines.filter(Boolean).map((line, i) => make("span", i ? "" : "dx-big", line)));
    return lines[0];
  }

  // ---------------------------------------------------------------- graphs
  const graphOf = (ui, side) => (ui.at[side] < 0 ? null : ui.shown[side].steps[ui.at[side]].decision.graph);

  function paintGraph(ui, side) {
    const panel = find(ui, `.cx-net[data-side=${side}]`), canvas = panel.querySelector("canvas"), none = panel.querySelector(".dx-none"), graph = graphOf(ui, side);
    none.hidden = Boolean(graph);
    canvas.hidden = !graph;
    panel.querySelector("h3 small").textContent = graph ? sizes(ui, side, graph) : "";
    none.textContent = ui.at[side] < 0 ? "Nothing decided yet." : `The rule “${ui.shown[side].header.rule}” decides without a dependency graph.`;
    if (panel.querySelector("details").open) edges(ui, side);
    if (!graph) return;
    const c = fit(ui, canvas), net = place(ui, graph, canvas.clientWidth || ui.width);
    for (const edge of net.edges) paintEdge(ui, c, edge, ui.shown[side].steps[ui.at[side]].decision);
    for (const node of net.nodes) paintNode(ui, c, node, side);
  }

  const key = (graph, i) => graph.source[i] * 65536 + graph.target[i];

  function sizes(ui, side, graph) {
    const other = graphOf(ui, OTHER[side]), keys = new Set(other ? Array.from(other.source, (_, i) => key(other, i)) : []);
    const shared = Array.from(graph.source, (_, i) => keys.has(key(graph, i))).filter(Boolean).length;
    return `${graph.nodes.length} nodes, ${graph.source.length} edges` + (other && !ui.told.apart ? `, ${shared} on both sides` : "");
  }

  function fit(ui, canvas) {
    const ratio = window.devicePixelRatio || 1, width = canvas.parentElement.clientWidth, height = tall(ui);
    ui.width = width;
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const c = canvas.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    return c;
  }

  function place(ui, graph, width) {
    const height = tall(ui), along = ui.layout === "along", base = height - 40;
    const nodes = Array.from(graph.nodes, (position, i) => ({
      position, role: graph.roles[i],
      x: along ? 12 + graph.along[i] * (width - 24) : width / 2 + (graph.plane[2 * i] * (width - 60)) / 3.4,
      y: along ? base : height / 2 + (graph.plane[2 * i + 1] * (height - 30)) / 3.4,
    }));
    const at = new Map(nodes.map((node) => [node.position, node]));
    const edges = Array.from(graph.source, (source, i) => curve(at.get(source), at.get(graph.target[i]), graph.weight[i], along, base, width));
    return { nodes, edges };
  }

  function curve(from, to, weight, along, base, width) {
    const dx = to.x - from.x, dy = to.y - from.y;
    const middle = along ? [(from.x + to.x) / 2, base - 20 - (Math.abs(dx) / width) * base * 1.8] : [(from.x + to.x) / 2 - dy * 0.14, (from.y + to.y) / 2 + dx * 0.14];
    return { from, to, weight, middle };
  }

  /** anchor carrying an induced token; conflict between two open positions; other. */
  function kindOf({ from, to }, decision) {
    const one = decision.committed.find(([p]) => p === to.position);
    if (one && one[2].some(([anchor]) => anchor === from.position)) return "evidence";
    const open = (p) => decision.committed.some(([q]) => q === p) || decision.refused.some(([q]) => q === p);
    return open(from.position) && open(to.position) ? "conflict" : "other";
  }

  function paintEdge(ui, c, edge, decision) {
    const colours = palette(ui), kind = kindOf(edge, decision), near = [edge.from.position, edge.to.position].includes(ui.hovered);
    c.globalAlpha = near ? 1 : kind === "other" ? 0.35 : 0.8;
    c.strokeStyle = c.fillStyle = { evidence: colours.induced, conflict: colours.conflict, other: colours.faint }[kind];
    c.lineWidth = clamp(edge.weight * 14, 0.8, 5) + (near ? 1 : 0);
    c.setLineDash(kind === "conflict" ? [4, 3] : []);
    c.beginPath();
    c.moveTo(edge.from.x, edge.from.y);
    c.quadraticCurveTo(...edge.middle, edge.to.x, edge.to.y);
    c.stroke();
    c.setLineDash([]);
    head(c, edge);
    c.globalAlpha = 1;
  }

  function head(c, { middle, to }) {
    const angle = Math.atan2(to.y - middle[1], to.x - middle[0]), size = 4 + c.lineWidth, [x, y] = [to.x - 6 * Math.cos(angle), to.y - 6 * Math.sin(angle)];
    c.beginPath();
    c.moveTo(x, y);
    for (const turn of [-0.42, 0.42]) c.lineTo(x - size * Math.cos(angle + turn), y - size * Math.sin(angle + turn));
    c.fill();
  }

  const RADIUS = { anchor: 4, written: 2.5, later: 2.5, refused: 4, sink: 4 };
  const CORNERS = { diamond: [4, 0], square: [4, Math.PI / 4], triangle: [3, -Math.PI / 2], hexagon: [6, 0], pentagon: [5, -Math.PI / 2], wedge: [3, Math.PI / 2], octagon: [8, Math.PI / 8] };

  function paintNode(ui, c, node, side) {
    const colours = palette(ui), { shape } = ui.theme.looks[node.role], r = RADIUS[node.role] || 6, corners = CORNERS[shape];
    c.beginPath();
    if (shape === "times") for (const turn of [-1, 1]) { c.moveTo(node.x - r * 0.7, node.y - turn * r * 0.7); c.lineTo(node.x + r * 0.7, node.y + turn * r * 0.7); }
    else if (!corners) c.arc(node.x, node.y, r, 0, 7);
    else for (let i = 0; i <= corners[0]; i++) {
      const angle = corners[1] + (2 * Math.PI * i) / corners[0];
      c[i ? "lineTo" : "moveTo"](node.x + r * 1.15 * Math.cos(angle), node.y + r * 1.15 * Math.sin(angle));
    }
    c.fillStyle = ["hollow", "ring", "times"].includes(shape) ? colours.panel : colours[node.role];
    c.fill();
    c.strokeStyle = ui.hovered === node.position ? colours.select : mark(ui, side, node.position) === "differs" ? colours.conflict : colours[node.role];
    c.lineWidth = ui.hovered === node.position ? 4 : shape === "ring" || mark(ui, side, node.position) === "differs" ? 3 : 1.5;
    c.stroke();
    if (ui.layout === "along" && RADIUS[node.role] === undefined) label(ui, c, node, side);
  }

  function label(ui, c, node, side) {
    const run = ui.shown[side], text = [...(run.pieces[run.last[node.position]] ?? "")].slice(0, 8).join("");
    c.save();
    c.font = `10px ${ui.theme.mono}`;
    c.fillStyle = palette(ui).ink;
    c.textAlign = "right";
    c.translate(node.x + 3, node.y + 10);
    c.rotate(-Math.PI / 3);
    c.fillText(text, 0, 0);
    c.restore();
  }

  const palette = (ui) => ui.theme.themes[ui.root.closest(".dark") ? "dark" : "light"].colours;

  function edges(ui, side) {
    const graph = graphOf(ui, side), box = find(ui, `.cx-net[data-side=${side}] details div`);
    const rows = graph ? Array.from(graph.source, (source, i) => [`${graph.target[i]}`, `${source}`, number(graph.weight[i], 4)]) : [];
    box.replaceChildren(table(`Edges of the ${side} graph`, ["Position", "depends on", "weight"], rows));
  }

  // ---------------------------------------------------------------- tables
  function figures(ui) {
    const [a, b] = ui.told.figures, both = (name, text) => [name, text(a), text(b)], code = (text) => make("code", "", text);
    const rows = [
      both("Rule", (one) => one.rule), both("Model", (one) => one.model), both("Forward passes", (one) => String(one.forwards)),
      both("Tokens per forward pass", (one) => one.perForward.toFixed(2)), both("Time", (one) => time(one.seconds)),
      both("Taken as", (one) => tierBar(ui.theme, one.tiers)), both("Output", (one) => code(one.output || "(none)")),
    ];
    find(ui, "[data-testid=figures]").replaceChildren(table("Figures of both runs", ["What", "Left", "Right"], rows));
  }

  function differences(ui) {
    const { differing, apart } = ui.told, box = find(ui, "[data-testid=differences]");
    box.parentElement.querySelector("small").textContent = differing.length ? `${differing.length}, in the order in which they appear` : "";
    if (!differing.length) return box.replaceChildren(make("p", "dx-soft", apart ? "Not comparable token by token." : "None: whatever both wrote is the same."));
    const rows = differing.map((one) => [go(ui, one), make("code", "", one.left), make("code", "", one.right), one.steps.map((step) => (step < 0 ? "before" : step + 1)).join(" / ")]);
    box.replaceChildren(table("Positions written with different tokens", ["Position", "Left", "Right", "Steps"], rows));
  }

  function go(ui, one) {
    const button = make("button", "cx-go", `${one.position}`);
    button.type = "button";
    button.setAttribute("aria-label", `Show position ${one.position}`);
    button.addEventListener("click", () => { ui.next = ui.told.differing.indexOf(one) + 1; jumpTo(ui, one); });
    return button;
  }

  // ---------------------------------------------------------------- drawing: when
  function redraw(ui) {
    if (ui.frame) return;
    ui.frame = requestAnimationFrame(() => {
      ui.frame = null;
      if (ui.shown && ui.root.isConnected) paint(ui);
    });
  }

  function paint(ui) {
    for (const side of SIDES) paintGraph(ui, side);
    for (const side of SIDES) paintTokens(ui, side);
    const words = SIDES.map((side) => `${side}: ${paintFacts(ui, side)}`);
    find(ui, "[data-testid=moment]").setAttribute("aria-valuetext", words.join(", "));
    Object.assign(ui.root.dataset, { moment: ui.k, leftStep: ui.at.left, rightStep: ui.at.right, mode: ui.mode });
  }

  /** One position, on both sides; reveal: scroll the canvases (not the page) to it. */
  function point(ui, position, reveal = false) {
    ui.hovered = position;
    redraw(ui);
    if (!reveal) return;
    for (const side of SIDES) {
      const token = ui.tokens[side][position], box = token && token.closest(".dx-tokens");
      if (token) box.scrollTop += token.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
    }
  }

  // ---------------------------------------------------------------- playing
  const lastMoment = (ui) => moments(ui).length - 1;

  function move(ui, k) {
    ui.player.stop();
    show(ui, k);
  }

  // ---------------------------------------------------------------- one pair alone on the screen
  /** Where a page may not fill the screen, the pair fills the comparison. */
  function solo(ui, button) {
    if (ui.root.dataset.solo) return together(ui);
    ui.root.dataset.solo = button.closest(".cx-pair").dataset.pair;
    button.setAttribute("aria-pressed", "true");
    if (ui.root.requestFullscreen) ui.root.requestFullscreen().catch(() => {});
    redraw(ui);
  }

  function together(ui) {
    delete ui.root.dataset.solo;
    for (const button of ui.root.querySelectorAll("[data-do=solo]")) button.setAttribute("aria-pressed", "false");
    if (document.fullscreenElement) document.exitFullscreen();
    redraw(ui);
  }

  const tall = (ui) => (ui.root.dataset.solo === "graphs" ? Math.max(HEIGHT[ui.layout], window.innerHeight - 330) : HEIGHT[ui.layout]);

  // ---------------------------------------------------------------- hands
  const ACTIONS = {
    first: (ui) => move(ui, 0), last: (ui) => move(ui, Infinity), back: (ui) => move(ui, ui.k - 1), forward: (ui) => move(ui, ui.k + 1), play: (ui) => ui.player.toggle(), solo,
    steps: (ui) => turn(ui, "steps"), tokens: (ui) => turn(ui, "tokens"), parting: jumpToParting, differing: jumpToDiffering,
    swap: (ui) => choose(ui, { left: ui.ids.right, right: ui.ids.left }), along: (ui) => arrange(ui, "along"), plane: (ui) => arrange(ui, "plane"),
  };
  const KEYS = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play" };

  function keyed(ui, event) {
    if (event.key === "Escape") return ui.root.dataset.solo && ui.hovered === null ? together(ui) : point(ui, null);
    const busy = event.target.closest("select") || (event.key === " " && event.target.closest("button, summary"));
    if (!KEYS[event.key] || event.altKey || event.ctrlKey || event.metaKey || busy) return;
    event.preventDefault();
    ACTIONS[KEYS[event.key]](ui);
  }

  function arrange(ui, layout) {
    ui.layout = layout;
    for (const name of ["along", "plane"]) find(ui, `[data-do=${name}]`).setAttribute("aria-pressed", name === layout);
    redraw(ui);
  }

  function wire(ui) {
    ui.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) ACTIONS[button.dataset.do](ui, button);
    });
    ui.root.addEventListener("keydown", (event) => keyed(ui, event));
    document.addEventListener("fullscreenchange", () => document.fullscreenElement || !ui.root.dataset.solo || together(ui));
    find(ui, "[data-testid=moment]").addEventListener("input", (event) => move(ui, Number(event.target.value)));
    for (const side of SIDES) find(ui, `[data-testid=${side}]`).addEventListener("change", (event) => choose(ui, { ...ui.ids, [side]: event.target.value }));
    ui.root.addEventListener("pointerover", (event) => {
      const token = event.target.closest(".cx-side .dx-token");
      if (token && ui.shown) point(ui, Number(token.dataset.position));
    });
    for (const details of ui.root.querySelectorAll("details")) details.addEventListener("toggle", () => redraw(ui));
    new ResizeObserver(() => redraw(ui)).observe(ui.root);
    new MutationObserver(() => redraw(ui)).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** Start the comparison inside a gr.HTML. tools: props, server, watch (Gradio's), theme (viz/theme.py). */
  window.mountDawnCompare = (element, tools) => {
    const root = element.querySelector("#compare"), ruler = document.createElement("canvas").getContext("2d");
    ruler.font = `650 13px ${tools.theme.mono}`;
    const ui = { root, tools, ruler, theme: tools.theme, runs: new Map(), choices: [], ids: {}, shown: null, told: null, mode: "steps", layout: "along", k: 0, at: {}, tokens: {}, codes: {}, hovered: null, next: 0, back: askedFor() };
    ui.player = player(root, { at: () => ui.k, last: () => lastMoment(ui), show: (k) => show(ui, k) });
    wire(ui);
    tools.watch("value", () => follow(ui));
    follow(ui);
    window.dawnAddress.tell("compare", (tab) => addressParts(ui, tab));
  };
})();
