/* What the components share: elements with text, files for the visitor, packed answers, bars of tiers, the playing of steps. */
(() => {
  "use strict";

  /** An element with class and text; children may follow. */
  function make(tag, name, text, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined && text !== null) element.textContent = text;
    element.append(...children);
    return element;
  }

  /** base64 of gzip → its bytes. */
  async function inflate(text) {
    return new Response(new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  /** base64 of gzip → document with typed arrays; the format is described in viz/payload.py. */
  async function unpack(text) {
    const buffer = await inflate(text), size = new DataView(buffer).getUint32(0, true);
    const kinds = { u2: Uint16Array, i4: Int32Array, f4: Float32Array };
    const revive = (key, value) => (value && value.$ ? new kinds[value.$[0]](buffer, 4 + size + value.$[1], value.$[2]) : value);
    return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)), revive);
  }

  const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  /** Shares of tiers as a bar, patterned as everywhere, with the same in words below it. */
  function tierBar(theme, tiers) {
    const names = theme.tiers.filter((tier) => tiers[tier]), total = names.reduce((sum, tier) => sum + tiers[tier], 0);
    const bar = make("span", "cx-bar"), words = names.map((tier) => `${theme.looks[tier].label} ${Math.round((100 * tiers[tier]) / total)} %`);
    bar.setAttribute("aria-hidden", "true");
    for (const tier of names) {
      const part = make("i", "dx-swatch");
      part.dataset.tier = tier;
      part.style.flexGrow = tiers[tier];
      bar.append(part);
    }
    return make("div", "cx-tiers", null, bar, make("small", "", words.join(", ")));
  }

  /** A table: a caption for screen readers, a header row, then rows of texts or elements; the first cell of a row names it. */
  function table(caption, head, rows) {
    const cell = (kind, scope) => (content) => {
      const one = make(kind, "", null, content);
      if (scope) one.scope = scope;
      return one;
    };
    const line = ([first, ...rest]) => make("tr", "", null, cell("th", "row")(first), ...rest.map(cell("td")));
    const top = make("thead", "", null, make("tr", "", null, ...head.map(cell("th", "col"))));
    return make("table", "cx-table", null, make("caption", "cx-hidden", caption), top, make("tbody", "", null, ...rows.map(line)));
  }

  const time = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`);

  /** Play and Pause over what `shown` says: {at(), last(), show(k)}. Its button and speed are found in `root`; it ends with the page. */
  function player(root, shown) {
    const button = () => root.querySelector("[data-do=play]");
    let timer = null;

    function say() {
      const words = timer ? "Pause" : "Play", one = button();
      if (one.getAttribute("aria-label") === words) return;
      one.textContent = `${timer ? "❚❚" : "▶"} ${words}`;
      one.setAttribute("aria-label", words);
    }
    function stop() {
      clearTimeout(timer);
      timer = null;
      say();
    }
    function tick() {
      if (shown.at() >= shown.last() || !root.isConnected) return stop();
      shown.show(shown.at() + 1);
      timer = setTimeout(tick, 1000 / Number(root.querySelector("[data-role=speed]").value));
    }
    function toggle() {
      if (timer) return stop();
      if (shown.at() >= shown.last()) shown.show(0);
      timer = setTimeout(tick, 200);
      say();
    }
    return { toggle, stop };
  }

  /** Hand a file to the visitor. */
  function save(name, blob) {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(blob) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  window.dawnParts = { make, save, inflate, unpack, bytesOf, tierBar, table, time, player };
})();
