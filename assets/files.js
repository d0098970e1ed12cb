/* Files of the trace that the explorer shows: each comes as text in an answer and becomes a download here; none lies on the server.
   A film or a page is made when somebody asks for it: while the server makes another one, this asks again. */
(() => {
  "use strict";

  const AGAIN = 2000, PATIENCE = 60; // milliseconds between two questions, and how many there are

  const shown = () => document.querySelector("#explorer")?.dataset || {};
  const wait = (time) => new Promise((done) => setTimeout(done, time));

  /** The file, once the server has time for it. */
  async function made(tools, says, asked) {
    for (let i = 0; i < PATIENCE; i++) {
      const answer = await tools.server.download(asked);
      if (answer.error) throw new Error(answer.error);
      if (!answer.busy) return answer;
      says.textContent = "Waiting: another file is being made …";
      await wait(AGAIN);
    }
    throw new Error("the server is busy with other files: try again in a few minutes");
  }

  async function save(tools, says, { dataset: { kind } }) {
    const { trace, step } = shown();
    if (!trace) return (says.textContent = "There is no trace to save yet.");
    says.textContent = ["gif", "mp4", "html"].includes(kind) ? "Making the file: this may take some seconds …" : "Packing …";
    const { name, body } = await made(tools, says, { trace, kind, step: Number(step) });
    window.dawnParts.save(name, new Blob([window.dawnParts.bytesOf(body)], { type: "application/octet-stream" }));
    says.textContent = `Saved as ${name}.`;
  }

  /** To the clipboard, and into a field, from which it can be taken where the clipboard is closed. */
  async function copy(tools, says, field, { dataset: { copy: form } }) {
    const answer = await tools.server.recipe({ trace: shown().trace, form });
    if (answer.error) throw new Error(answer.error);
    Object.assign(field, { value: answer.text, hidden: false });
    try {
      await navigator.clipboard.writeText(answer.text);
      says.textContent = "Copied.";
    } catch {
      field.select();
      says.textContent = "The clipboard is closed to this page: copy the text below.";
    }
  }

  /** Start the buttons inside a gr.HTML. tools: server (Gradio's). */
  window.mountDawnFiles = (element, tools) => {
    const says = element.querySelector(".fx-says"), field = element.querySelector(".fx-text");
    element.addEventListener("click", async ({ target }) => {
      const button = target.closest("button");
      if (!button || button.disabled) return;
      button.disabled = true;
      field.hidden = true;
      try {
        await (button.dataset.kind ? save(tools, says, button) : copy(tools, says, field, button));
      } catch (error) {
        says.textContent = `Not done: ${error.message || error}`;
      }
      button.disabled = false;
    });
  };
})();
