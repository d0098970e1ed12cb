/* The held-out problem that was drawn: its right answer, hidden until somebody wants it, and the verdict about the shown run. Everything it
   shows is in its value; it asks for nothing. */
(() => {
  "use strict";

  function follow(ui) {
    const { question = "", answer = "", verdict, right = null, trace = null } = ui.props.value || {};
    const judged = trace !== null && trace === document.querySelector("#explorer")?.dataset.trace;
    const find = (selector) => ui.root.querySelector(selector), details = find("details"), says = find("[data-testid=verdict]");
    if (question !== ui.question) details.open = false;
    ui.question = question;
    ui.root.hidden = !question;
    details.hidden = judged;
    find("[data-testid=right-answer]").textContent = answer;
    says.textContent = judged ? verdict : "";
    says.dataset.right = String(right);
  }

  /** Start the card inside a gr.HTML. props, watch: Gradio's. */
  window.mountDawnProblem = (element, { props, watch }) => {
    const ui = { root: element.querySelector("#problem"), props, question: "" };
    watch("value", () => follow(ui));
    const traces = { subtree: true, attributes: true, attributeFilter: ["data-trace"] };
    new MutationObserver(() => follow(ui)).observe(document.body, traces); // a verdict is about the trace that is shown
    follow(ui);
  };
})();
