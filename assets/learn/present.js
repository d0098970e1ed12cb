/* Presenting: one scene fills the screen, keyboard and clicker only. Where the page may not fill the screen, it fills the window. */

const AHEAD = ["ArrowRight", "ArrowDown", "PageDown", " ", "Enter"], BACK = ["ArrowLeft", "ArrowUp", "PageUp", "Backspace"], BLANK = ["b", "B", "."];

function present(ui) {
  if (ui.presenting || !ui.data) return;
  ui.presenting = true;
  ui.root.dataset.presenting = "true";
  ui.root.focus();
  if (ui.root.requestFullscreen) ui.root.requestFullscreen().catch(() => {});
  paintScene(ui);
}

function leave(ui) {
  if (!ui.presenting) return;
  ui.presenting = false;
  for (const name of ["presenting", "blank"]) delete ui.root.dataset[name];
  if (document.fullscreenElement) document.exitFullscreen();
  find(ui, "[data-do=present]").focus();
  paintScene(ui);
}

/** Every key is the talk's own while presenting, so that none scrolls or tabs into the page below. */
function presenterKey(ui, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Escape") return leave(ui);
  if (BLANK.includes(event.key)) return void (ui.root.dataset.blank = ui.root.dataset.blank !== "true");
  if (AHEAD.includes(event.key)) walk(ui, 1);
  else if (BACK.includes(event.key)) walk(ui, -1);
  else if (event.key === "Home") go(ui, 0, 0);
  else if (event.key === "End") go(ui, SCENES.length - 1, Infinity);
}

function wirePresenter(ui) {
  document.addEventListener("keydown", (event) => ui.presenting && presenterKey(ui, event), true);
  document.addEventListener("fullscreenchange", () => document.fullscreenElement || leave(ui));
}
