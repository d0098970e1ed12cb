/* Stands where Gradio and the server stand on the page: gives the explorer and the ledger what they ask for, out of the file itself.
   The fragment of the address (#step=5&position=61, steps from 1) says what is shown, so that a place in the file can be linked. */
(() => {
  "use strict";

  const REST = 300; // milliseconds that nothing changes before the address does
  const run = JSON.parse(document.getElementById("dawn-run").textContent), nothing = () => {};
  const absent = async () => ({ error: run.needsApp });
  const part = (name) => async ({ from }) => run.parts[name][from];
  const whole = (name) => async () => run.whole[name];
  const server = {
    fetch: part("fetch"), ledger: part("ledger"), csv: whole("csv"), settings: whole("settings"), sinks: whole("sinks"),
    what_if: absent, changes: absent, export: absent,
  };

  // ---------------------------------------------------------------- the address
  const asked = new URLSearchParams(location.hash.slice(1)), number = (name, least) => (/^\d{1,6}$/.test(asked.get(name) ?? "") ? Math.max(0, Number(asked.get(name)) - least) : null);
  let source = nothing, timer = null;

  function write() {
    const { step, position } = source(), named = Object.entries({ step, position }).filter(([, value]) => value !== null);
    try {
      history.replaceState(null, "", `#${new URLSearchParams(named)}`);
    } catch {
      // a browser that keeps the address of a file as it was
    }
  }
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(write, REST);
  }
  window.dawnAddress = { asked: {}, key: "", changed, settle: nothing, tell: (name, tells) => { if (name === "explorer") source = tells; } };

  // ---------------------------------------------------------------- light or dark
  function dress(dark) {
    const button = document.getElementById("sx-theme");
    document.body.classList.toggle("dark", dark);
    button.setAttribute("aria-pressed", dark);
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", () => dress(system.matches));
  document.getElementById("sx-theme").addEventListener("click", () => dress(!document.body.classList.contains("dark")));
  dress(system.matches);

  // ---------------------------------------------------------------- start
  const back = { step: number("step", 1), position: number("position", 0) }, tools = { trigger: nothing, watch: nothing, server, theme: window.dawnTheme };
  const value = back.step === null && back.position === null ? run.value : { ...run.value, back };
  window.mountDawnExplorer(document, { ...tools, props: { value } });
  window.mountDawnAnalysis(document, { ...tools, props: { value: {} } });
})();
