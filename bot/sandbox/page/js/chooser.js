// A select: a button that opens a list; one choice is taken at once, several when the list closes.

import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";

/** Return the control. `onChosen` gets the chosen values. */
export function chooser({ key, label, options, chosen, least, most, disabled, onChosen }) {
  const several = most > 1;
  const id = freshId("choices");
  let values = [...chosen];
  const shown = h("span", { class: "chooser-value" });
  const button = h(
    "button",
    { type: "button", class: "chooser-button", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": id, disabled, dataset: { key } },
    shown,
    icon("down"),
  );
  const rows = options.map(rowOf);
  const list = h("div", { class: "choices", role: "listbox", id, "aria-label": label, "aria-multiselectable": several ? "true" : null, hidden: true }, rows);
  const root = h("div", { class: "chooser" }, button, list);

  function rowOf(option) {
    const text = h("span", { class: "choice-text" }, h("span", {}, option.label), option.description && h("small", {}, option.description));
    const emoji = option.emoji?.name && h("span", { class: "emoji", "aria-hidden": "true" }, option.emoji.name);
    const row = h("div", { class: "choice", role: "option", tabindex: "-1", dataset: { value: option.value } }, emoji, text);
    row.addEventListener("click", () => toggle(option.value));
    return row;
  }

  function show() {
    const picked = options.filter((option) => values.includes(option.value)).map((option) => option.label);
    shown.textContent = picked.join(", ") || label;
    button.setAttribute("aria-label", picked.length ? `${label}: ${picked.join(", ")}` : label);
    for (const row of rows) row.setAttribute("aria-selected", String(values.includes(row.dataset.value)));
  }

  function toggle(value) {
    if (!several) {
      values = [value];
      close();
      show();
      onChosen(values);
      return;
    }
    if (values.includes(value)) values = values.filter((one) => one !== value);
    else if (values.length < most) values = [...values, value];
    show();
  }

  function open() {
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    (rows.find((row) => row.getAttribute("aria-selected") === "true") ?? rows[0])?.focus();
    document.addEventListener("pointerdown", outside, true);
  }

  function close({ send = false } = {}) {
    if (list.hidden) return;
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    button.focus();
    if (send && several && values.length >= least) onChosen(values);
  }

  const outside = (event) => {
    if (!root.contains(event.target)) close({ send: true });
  };
  button.addEventListener("click", () => (list.hidden ? open() : close({ send: true })));
  list.addEventListener("keydown", (event) => {
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) rows[Math.max(0, Math.min(rows.length - 1, to))].focus();
    else if (event.key === "Enter" || event.key === " ") rows[at]?.click();
    else if (event.key === "Escape" || event.key === "Tab") close({ send: true });
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  });
  show();
  return root;
}
