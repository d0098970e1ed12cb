/* The scenes: what each says, how many stages it has, and how a stage is drawn. Numbers come from the server's answers alone. */

const SCENES = [
  {
    name: "parallel", title: "Why parallel decoding breaks", draw: drawHouse, stages: () => 2,
    words: "A masked diffusion model gives every masked position a distribution of its own. Tokens that are drawn from them in the same step know nothing of each other.",
    caption: (ui, stage) => houseWords(ui.data.house, stage), title2: ["One word after the other", "Both at once"],
  },
  {
    name: "confidence", title: "Confidence", draw: (ui) => example(ui, 3), caption: (ui) => told(ui, 3),
    words: "The confidence of a position is the probability of its most likely token in this forward pass. A threshold on it alone is slow if it is high and careless if it is low.",
  },
  {
    name: "attention", title: "Attention", draw: drawMap, caption: mapWords,
    words: "Row i, column j: how much of its attention position i gives to position j, averaged over all heads and the last layers. DAWN reads dependence out of it.",
  },
  {
    name: "sinks", title: "Sinks", draw: (ui) => example(ui, 1), caption: (ui) => told(ui, 1),
    words: "Some positions are attended to from everywhere, whatever they hold. That says nothing about dependence, so their columns are removed first.",
  },
  {
    name: "edges", title: "Edges", draw: (ui) => example(ui, 2), caption: (ui) => told(ui, 2),
    words: "What remains, cut at τ_edge, is the dependency graph. An arrow goes from what is read to what depends on it.",
  },
  {
    name: "anchors", title: "Anchors", draw: (ui) => example(ui, 4), caption: (ui) => told(ui, 4),
    words: "A written token that the model is sure of is an anchor. A position that depends on one needs less confidence: τ_induced instead of τ_high.",
  },
  {
    name: "conflicts", title: "Conflicts", stages: () => 2, draw: (ui, stage) => example(ui, 5 + stage), caption: (ui, stage) => told(ui, 5 + stage),
    words: "Two masked positions with an edge between them are in conflict: drawn in the same step, they would not know of each other. Of the less confident ones, only an independent set is taken.",
    title2: ["Exclude", "Schedule"],
  },
  {
    name: "step", title: "One whole step", stages: () => 7, draw: (ui, stage) => stepFigure(ui.theme, ui.doc, stage + 1), caption: (ui, stage) => ui.doc.stages[stage][1],
    words: "The anatomy of a step: from one forward pass to the tokens that are written, in seven stages.", title2: (ui) => ui.doc.stages.map(([title]) => title),
  },
  {
    name: "run", title: "One whole run", stages: (ui) => ui.run.steps.length + 1, draw: drawRun, caption: runWords,
    words: "Step after step until nothing is masked. Every forward pass sees what all steps before it have written.",
  },
  {
    name: "gains", title: "What it gains", draw: drawGains, caption: (ui) => ui.data.gains.words,
    words: "A forward pass costs the same however many tokens are taken from it: fewer passes for the same text is the gain.",
  },
];

const example = (ui, stage) => stepFigure(ui.theme, ui.data.example.anatomy, stage);
const told = (ui, stage) => `Step ${ui.data.example.step + 1} of the recorded run. ${ui.data.example.anatomy.stages[stage - 1][1]}`;
const stagesOf = (ui, scene) => (SCENES[scene].stages ? SCENES[scene].stages(ui) : 1);

/** A short name of a stage, where it has one. */
function stageName(ui, scene, stage) {
  const names = SCENES[scene].title2;
  return names ? (typeof names === "function" ? names(ui) : names)[stage] : "";
}

// ---------------------------------------------------------------- two words, drawn alone
function drawHouse(ui, stage) {
  const { pairs, stages } = ui.data.house, joint = stages[0], chances = stages[stage];
  const head = make("tr", "", null, corner(), ...pairs.map(([, second]) => Object.assign(make("th", "", second), { scope: "col" })));
  const rows = pairs.map(([first], i) => make("tr", "", null, Object.assign(make("th", "", first), { scope: "row" }), ...pairs.map(([, second], j) => {
    const cell = make("td", joint[i][j] ? "lx-there" : chances[i][j] ? "lx-never" : "lx-none", chances[i][j] ? `${first} ${second}` : "");
    cell.append(make("small", "", chances[i][j] ? percent(chances[i][j]) : "0 %"));
    return cell;
  })));
  const caption = make("caption", "lx-hidden", "Probability of every pair of first and second word");
  return make("table", "lx-house", null, caption, make("thead", "", null, head), make("tbody", "", null, ...rows));
}

const corner = () => make("td", "lx-corner", "first ╲ second");
const percent = (share) => `${Number((100 * share).toFixed(2))} %`;

function houseWords({ pairs, never }, stage) {
  const hands = pairs.map((pair) => `“${pair.join(" ")}”`), wrong = `“${pairs[0][0]} ${pairs[2][1]}”`;
  if (!stage) return `A poker hand of two words: say ${hands.slice(0, -1).join(", ")} and ${hands.at(-1)} are equally likely. Once the first word is written, only one second word is left.`;
  return `Each word drawn from its own marginal distribution: ${percent(never)} of the draws are pairs that never occur together, such as ${wrong}.`;
}

// ---------------------------------------------------------------- the attention map
function drawMap(ui) {
  const step = ui.run.steps[ui.data.example.step], columns = ui.run.header.length, rows = step.window.length, canvas = make("canvas", "lx-map");
  Object.assign(canvas, { width: columns, height: rows });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Attention map: ${rows} rows of the active block, ${columns} columns`);
  const image = new ImageData(columns, rows), ramp = ui.theme.themes[ui.root.closest(".dark") ? "dark" : "light"].ramp.map(rgb);
  step.attention.forEach((weight, i) => image.data.set(shade(ramp, Math.min(1, Math.sqrt(weight / 2500))), 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  const { prompt } = ui.run.header, scale = make("div", "lx-scale", null, part("prompt", prompt), part("answer", columns - prompt));
  return make("div", "lx-mapbox", null, make("span", "lx-rows", `active block: ${step.window[0]} to ${step.window[rows - 1]}`), make("div", "", null, canvas, scale));
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

function shade(ramp, share) {
  const place = share * (ramp.length - 1), low = Math.min(Math.floor(place), ramp.length - 2);
  return [...[0, 1, 2].map((k) => ramp[low][k] + (ramp[low + 1][k] - ramp[low][k]) * (place - low)), 255];
}

function part(text, length) {
  const one = make("span", "", `${text}: ${length} positions`);
  one.style.flexGrow = length;
  return one;
}

function mapWords(ui) {
  const step = ui.run.steps[ui.data.example.step], tone = ui.root.closest(".dark") ? "lighter" : "darker";
  return `Step ${step.index + 1} of the recorded run: ${step.window.length} rows, ${ui.run.header.length} columns, ${tone} is more.`;
}

// ---------------------------------------------------------------- a run
const FULL_SCENE = 150; // tokens that a presented scene has room for
function drawRun(ui, stage) {
  const { header, pieces, steps } = ui.run, tokens = Int32Array.from(header.tokens), tiers = new Array(header.length).fill(""), at = new Array(header.length).fill(0);
  steps.slice(0, stage).forEach((step, k) => {
    const row = new Map([...step.window].map((p, i) => [p, i]));
    for (const [p, tier] of step.decision.committed) [tokens[p], tiers[p], at[p]] = [step.predicted[row.get(p)], tier, k + 1];
    for (const p of step.filled) [tokens[p], tiers[p], at[p]] = [step.end, "filled", k + 1];
  });
  const run = make("div", "dx-tokens lx-run", null, ...[[0, header.prompt], [header.prompt, header.length]].map(([from, to], i) => {
    const row = make("div", "dx-row", null, ...Array.from({ length: to - from }, (_, k) => token(from + k)));
    return make("div", "dx-group", null, make("span", "dx-name", i ? "Answer" : "Question"), row);
  }));
  run.style.setProperty("--lx-size", Math.min(1, Math.sqrt(FULL_SCENE / header.length))); // presented, a long run gets smaller letters
  return run;

  function token(p) {
    const masked = tokens[p] === header.mask, fill = tiers[p] === "filled", one = make("span", `dx-token${at[p] === stage && stage ? " dx-fresh" : ""}${fill ? " lx-fill" : ""}`, masked || fill ? "" : pieces[tokens[p]]);
    Object.assign(one.dataset, { state: masked ? "masked" : p < header.prompt ? "prompt" : "committed", tier: tiers[p] });
    return one;
  }
}

function runWords(ui, stage) {
  if (!stage) return `The question, and ${ui.run.header.length - ui.run.header.prompt} masked positions in blocks of ${ui.run.header.block}.`;
  const step = ui.run.steps[stage - 1], counts = new Map();
  for (const [, tier] of step.decision.committed) counts.set(tier, (counts.get(tier) || 0) + 1);
  const many = step.decision.committed.length, parts = [...counts].map(([tier, count]) => `${count} ${ui.theme.looks[tier].label}`);
  const filled = step.filled.length ? ` The answer has ended: ${step.filled.length} positions are filled without a forward pass.` : "";
  return `Step ${stage} of ${ui.run.steps.length}: ${many} token${many === 1 ? "" : "s"} (${parts.join(", ")}).${filled}`;
}

// ---------------------------------------------------------------- what it gains
function drawGains(ui) {
  const { rows } = ui.data.gains, most = Math.max(...rows.map(([, forwards]) => forwards)), list = make("dl", "lx-gains");
  for (const [rule, forwards, accuracy] of rows) {
    const bar = make("span", rule === "dawn" ? "lx-meter lx-ours" : "lx-meter"), right = accuracy === null ? "" : `, ${percent(Number(accuracy.toFixed(3)))} right`;
    bar.style.setProperty("--lx-share", forwards / most);
    list.append(make("div", "", null, make("dt", "", rule), make("dd", "", null, bar, make("b", "", `${Number(forwards.toFixed(1))} forward passes${right}`))));
  }
  return list;
}
