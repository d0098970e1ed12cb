/* Saves the trace that the explorer shows: the file comes as text in an answer and becomes a download here; none lies on the server. */
(() => {
  "use strict";

  async function save(tools, says) {
    const explorer = document.querySelector("#explorer"), trace = explorer && explorer.dataset.trace;
    if (!trace) return (says.textContent = "There is no trace to save yet.");
    says.textContent = "Packing…";
    try {
      const answer = await tools.server.download({ trace });
      if (answer.error) throw new Error(answer.error);
      hand(answer.name, window.dawnParts.bytesOf(answer.body));
      says.textContent = `Saved as ${answer.name}.`;
    } catch (error) {
      says.textContent = `Not saved: ${error.message || error}`;
    }
  }

  function hand(name, bytes) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  /** Start the save button inside a gr.HTML. tools: server (Gradio's). */
  window.mountDawnFiles = (element, tools) => {
    const says = element.querySelector(".fx-says");
    element.querySelector("button").addEventListener("click", () => save(tools, says));
  };
})();
