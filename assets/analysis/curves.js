/* Sensitivity: tokens per step and agreement over each setting's range. */

const PLOT = { width: 360, height: 190, left: 34, right: 40, top: 24, bottom: 34 };

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
  const known = curve.points.filter(([, tokens]) => tokens !== null), figure = make("div", "ax-curve", null, make("h4", "", curve.name.replace(/_/g, " ")), make("p", "", curve.help));
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
  svg.append(draw("text", { x: 2, y: 10 }, "tokens per step"), draw("text", { x: width - 2, y: 10, "text-anchor": "end" }, "agreement"));
  svg.append(draw("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, curve.name.replace(/_/g, " ")));
  const line = (name, points) => svg.append(draw("polyline", { class: name, points: points.map((pair) => pair.map((n) => n.toFixed(1)).join()).join(" ") }));
  line("ax-tokens", known.map(([value, tokens]) => [x(value), y(tokens / most)]));
  line("ax-agreement", known.filter((one) => one[2] !== null).map(([value, , share]) => [x(value), y(share)]));
  const upright = (name, value) => draw("line", { class: name, x1: x(value), x2: x(value), y1: top, y2: height - bottom });
  if (curve.preset !== null) svg.append(upright("ax-preset", curve.preset));
  svg.append(upright("ax-own", curve.value));
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

function apply(curve, value, now) {
  now.textContent = setControl(curve.control, Number(value.toFixed(6))) || `Set to ${plain(value)}.`;
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
