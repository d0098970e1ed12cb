/* Gradio takes its "Loading…" notice off the page while the notice's clock runs, and the clock goes on for ever: 60 times a second
   it asks for the next frame of what nobody sees. A clock that is nowhere on the page gets none, and so ends. */
{
  const frame = window.requestAnimationFrame;
  const hidden = () => !document.querySelector(".progress-text");
  window.requestAnimationFrame = (work) => (hidden() && new Error().stack.includes("statustracker") ? 0 : frame.call(window, work));
}
