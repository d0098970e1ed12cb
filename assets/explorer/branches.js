/* The visitor's runs and branches, as a list under the title. Python keeps them and says what they are; this shows, and asks. */

function paintBranches(ui) {
  const rows = ui.value.branches || [], box = find(ui, ".dx-branches"), key = JSON.stringify([rows, ui.run.id]);
  if (ui.branchesFor === key) return;
  ui.branchesFor = key;
  box.hidden = rows.length < 2;
  box.querySelector("small").textContent = `${rows.length}`;
  box.querySelector("ul").replaceChildren(...rows.map((row) => branchRow(ui, row)));
}

function branchRow(ui, row) {
  const name = make("button", "dx-branch", row.label), origin = row.step === null ? "" : `from step ${row.step + 1}, `;
  Object.assign(name, { type: "button", title: "Show this run" });
  if (row.trace === ui.run.id) name.setAttribute("aria-current", "true");
  name.addEventListener("click", () => organise(ui, "show", row));
  const item = make("li", "", null, name, make("small", "", `${origin}${row.rule}, ${row.steps} steps`), ...(row.own ? tools(ui, row) : []));
  item.style.setProperty("--dx-depth", Math.min(row.depth, 6));
  return item;
}

function tools(ui, row) {
  const rename = make("button", "dx-small", "Rename"), remove = make("button", "dx-small", "Delete");
  rename.setAttribute("aria-label", `Rename ${row.label}`);
  remove.setAttribute("aria-label", `Delete ${row.label}`);
  rename.type = remove.type = "button";
  rename.addEventListener("click", () => renaming(ui, row, rename.closest("li")));
  remove.addEventListener("click", () => organise(ui, "delete", row));
  return [rename, remove];
}

/** The row as a field: Enter keeps the new name, Escape the old one. */
function renaming(ui, row, item) {
  const field = Object.assign(make("input"), { type: "text", value: row.label, maxLength: 60 });
  field.setAttribute("aria-label", "Name of this branch");
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.stopPropagation();
    ui.branchesFor = null;
    if (event.key === "Enter") organise(ui, "rename", row, field.value);
    else paintBranches(ui);
  });
  item.replaceChildren(field);
  field.focus();
  field.select();
}

function organise(ui, action, { trace }, label = "") {
  ui.tools.trigger(ui.tools.organise, { do: action, trace, shown: ui.run.id, label });
}
