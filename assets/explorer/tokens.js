/* The canvas of tokens. Elements are made once per run; a step touches only those that change. */

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
