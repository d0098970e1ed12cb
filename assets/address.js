/* The page's address names what is shown, so that a reload or a link shows it again. Owns the address and the key by which a browser
   tab proves to the server that it is the same one after a reload; the key is never in an address. Writes without any request.

   window.dawnAddress: asked   what the address asked for when the page opened: strings by name
                       key     this tab's key
                       tell(name, source)   source() → parts of the address by name; null leaves a part out
                       changed()            something that a source tells has changed
                       tab(name)            another tab of the page is shown
                       link(more)           the address for others, with more parts
                       want(name), turn()   which tab shall be shown; show it
                       settle()             what was asked for is shown, or is gone: from now on the address follows the page */
window.dawnAddress = window.dawnAddress || (() => {
  "use strict";

  const NAMES = ["tab", "trace", "step", "position", "panels", "rule", "left", "right", "moment", "mode", "lanes", "scene"], PREFIXES = ["set.", "run."], TABS = ["explore", "compare", "race", "learn", "about"];
  const REST = 300; // milliseconds that nothing changes before the address does: writing it takes longer than a step
  const ours = (name) => NAMES.includes(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
  const asked = Object.fromEntries([...new URLSearchParams(location.search)].filter(([name]) => ours(name)));
  const sources = new Map();
  let tab = TABS.includes(asked.tab) ? asked.tab : TABS[0], wanted = tab, settled = !Object.keys(asked).length, timer = null;

  /** 128 random bits, kept for as long as this browser tab lives; where nothing may be kept, until the page is left. */
  function keyOfThisTab() {
    const fresh = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    try {
      sessionStorage.dawnKey = sessionStorage.dawnKey || fresh;
      return sessionStorage.dawnKey;
    } catch {
      return fresh;
    }
  }

  function changed() {
    clearTimeout(timer);
    if (settled) timer = setTimeout(write, REST);
  }

  /** What is shown, as a query. query: what it is added to. */
  function shown(query) {
    if (tab !== TABS[0]) query.set("tab", tab);
    for (const source of sources.values()) for (const [name, value] of Object.entries(source(tab))) if (value !== null && value !== undefined) query.set(name, value);
    return query;
  }

  /** A link to what is shown, for others. more: parts besides. In the frame of a Space it leads to the Space's page, which hands the
      query on: https://huggingface.co/docs/hub/spaces-handle-url-parameters */
  function link(more) {
    const framed = window.parent !== window && window.dawnHome;
    return `${framed || location.origin + location.pathname}?${shown(new URLSearchParams(more))}`;
  }

  function write() {
    const text = shown(new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => !ours(name)))).toString();
    history.replaceState(history.state, "", `${location.pathname}${text && "?"}${text}${location.hash}`);
  }

  /** As a hand would; where the window is too narrow for all tabs, the last are in a menu, by their names alone. Were gr.Tabs the output
      of an event instead, Gradio would copy the whole page at every later update. */
  function turn() {
    const menu = [...document.querySelectorAll(".overflow-dropdown button")].find((one) => one.textContent.trim().toLowerCase() === wanted);
    const button = document.querySelector(`[role=tab][data-tab-id=${wanted}]`) || menu;
    if (button && button.getAttribute("aria-selected") !== "true") button.click();
  }

  return {
    turn, link, want: (name) => { wanted = name; }, asked, key: keyOfThisTab(), changed,
    tell: (name, source) => { sources.set(name, source); changed(); },
    tab: (name) => { tab = name; changed(); },
    settle: () => { if (!settled) turn(); settled = true; changed(); },
  };
})();
