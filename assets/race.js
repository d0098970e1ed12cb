/* The race: lanes as they run, then a table. Everything it shows is in its value; it asks for nothing. Events: `view`, with `trace`
   and `place` (explore, left or right). Text of people and models is written as text. */
(() => {
  "use strict";

  const { make, tierBar, table, time } = window.dawnParts;
  const find = (ui, selector) => ui.root.querySelector(selector);

  function follow(ui) {
    const value = ui.tools.props.value || {};
    const box = find(ui, ".dx-notice");
    box.textContent = value.notice || "";
    box.hidden = !value.notice;
    if (!value.lanes) return;
    if (value.lanes.length !== ui.lanes.length || value.lanes.some((lane, i) => !matches(ui.lanes[i], lane))) build(ui, value);
    value.lanes.forEach((lane, i) => paint(ui.lanes[i], lane));
    window.dawnAddress.changed();
    ui.root.dataset.state = !value.lanes.length ? "none" : value.done ? "done" : "running";
    says(ui, value);
    result(ui, value);
  }

  /** Whether a drawn lane is of this very run: the same rule and places, and nothing that was written is masked again. */
  function matches(drawn, lane) {
    return drawn.label === lane.label && drawn.spans.length === lane.texts.length && drawn.written <= lane.texts.filter(Boolean).length;
  }

  function build(ui, { lanes }) {
    ui.lanes = lanes.map((lane, i) => {
      const spans = lane.texts.map(() => make("span", "dx-token")), bar = make("progress"), small = make("small"), note = make("p", "rx-note");
      bar.max = lane.texts.length;
      bar.setAttribute("aria-label", `Tokens written in lane ${i + 1}`);
      const head = make("h3", "", null, make("span", "", `${i + 1} · ${lane.label}`), small);
      const tokens = make("div", "dx-tokens", null, make("div", "dx-row", null, ...spans));
      tokens.tabIndex = 0;
      tokens.setAttribute("role", "group");
      tokens.setAttribute("aria-label", `Answer of lane ${i + 1}`);
      const box = make("section", "dx-panel rx-lane", null, head, bar, note, tokens);
      box.setAttribute("aria-label", `Lane ${i + 1}: ${lane.label}`);
      return { label: lane.label, spans, bar, small, note, box, written: 0 };
    });
    find(ui, ".rx-lanes").replaceChildren(...ui.lanes.map((lane) => lane.box));
  }

  function paint(drawn, lane) {
    drawn.box.dataset.state = lane.state;
    drawn.small.textContent = `${lane.state} · ${lane.forwards} forward passes · ${time(lane.seconds)}`;
    drawn.note.textContent = lane.note;
    lane.texts.forEach((one, i) => token(drawn.spans[i], one, lane.texts[i - 1]));
    drawn.written = drawn.bar.value = lane.texts.filter(Boolean).length;
  }

  /** Of a row of fill-ins only the first has its text. */
  function token(span, one, before) {
    const [text, tier] = one || ["", ""], state = one ? "committed" : "masked", fill = tier === "filled" && before && before[1] === "filled";
    if (span.dataset.state === state && span.textContent === text) return;
    span.classList.toggle("dx-fill", Boolean(fill));
    Object.assign(span.dataset, { state, tier });
    span.textContent = text;
  }

  /** One sentence when a lane begins or the race ends: what screen readers announce. */
  function says(ui, { lanes, done, answer }) {
    const at = lanes.findIndex((lane) => ["running", "warming up"].includes(lane.state));
    const known = answer === null || answer === undefined ? "" : ` The right answer is ${answer}.`;
    const words = !lanes.length ? beginning() : done ? `The race is over: ${verdict(lanes)}.${known}` : at < 0 ? "" : `Lane ${at + 1} of ${lanes.length}: ${lanes[at].label}.`;
    const box = find(ui, ".rx-says");
    if (box.textContent !== words) box.textContent = words;
  }

  /** A race is not kept over a reload, its traces are. */
  function beginning() {
    const gone = window.dawnAddress.asked.lanes ? "The race that this address was of is no longer on the page; the traces of its lanes are under Compare, if they are yours. " : "";
    return `${gone}Choose up to four rules and start.`;
  }

  function verdict(lanes) {
    const ended = lanes.filter((lane) => lane.state === "done");
    if (!ended.length) return "no lane reached its end";
    const best = (key) => ended.reduce((one, other) => (other[key] < one[key] ? other : one));
    return `fewest forward passes ${best("forwards").label} (${best("forwards").forwards}), quickest ${best("seconds").label} (${time(best("seconds").seconds)})`;
  }

  /** The table grows by a row for each lane that has ended; it is not touched in between. */
  function result(ui, { lanes, answer }) {
    const ended = lanes.filter((lane) => lane.trace), key = JSON.stringify(ended.map((lane) => [lane.trace, lane.state]));
    find(ui, ".rx-result").hidden = !ended.length;
    if (ui.resultFor === key) return;
    ui.resultFor = key;
    const judged = answer !== null && answer !== undefined;
    const head = ["Rule", "Forward passes", "Tokens per forward pass", "Time", "Taken as", ...(judged ? ["Answer"] : []), "Output", "Open in"];
    find(ui, "[data-testid=race-table]").replaceChildren(table("Result of the race", head, ended.map((lane) => row(ui, lane, judged))));
  }

  function row(ui, lane, judged) {
    const name = lane.state === "done" ? lane.label : `${lane.label} (${lane.state})`, verdict = lane.right === null ? make("span", "", "–") : make("span", lane.right ? "rx-right" : "rx-wrong", lane.right ? "✓ right" : "✗ wrong");
    const cells = [name, String(lane.forwards), (lane.tokens / Math.max(1, lane.forwards)).toFixed(2), time(lane.seconds), tierBar(ui.theme, lane.tiers)];
    const output = Object.assign(make("code", "", lane.output || "(none)"), { tabIndex: 0 });
    output.setAttribute("role", "group");
    output.setAttribute("aria-label", `Output of ${lane.label}`);
    return [...cells, ...(judged ? [verdict] : []), output, opening(ui, lane)];
  }

  function opening(ui, lane) {
    const buttons = [["explore", "Explore"], ["left", "Compare, left"], ["right", "Compare, right"]].map(([place, words]) => {
      const button = make("button", "", words);
      button.type = "button";
      button.setAttribute("aria-label", `${words}: ${lane.label}`);
      button.addEventListener("click", () => {
        window.dawnAddress.want(place === "explore" ? "explore" : "compare");
        ui.tools.trigger(ui.tools.view, { trace: lane.trace, place });
      });
      return button;
    });
    return make("div", "rx-open", null, ...buttons);
  }

  /** Start the race's view inside a gr.HTML. tools: trigger, props, watch (Gradio's), theme (viz/theme.py), view (event name). */
  window.mountDawnRace = (element, tools) => {
    const ui = { root: element.querySelector("#race"), tools, theme: tools.theme, lanes: [], resultFor: "" };
    tools.watch("value", () => follow(ui));
    follow(ui);
    window.dawnAddress.tell("race", (tab) => ({ lanes: tab === "race" && ui.lanes.length ? ui.lanes.length : null }));
  };
})();
