// A list above the composer that follows what is typed: commands, people, choices. The focus stays in the field.

import { freshId, h } from "./dom.js";

/** Shows one list at a time for whichever field has the focus. */
export class Picker {
  constructor() {
    this.id = freshId("picker");
    this.head = h("div", { class: "picker-head" });
    // Not a stop of the Tab key: a long list scrolls with the arrows that the field passes on.
    this.list = h("div", { class: "picker-list", role: "listbox", id: this.id, "aria-label": "Suggestions", tabindex: "-1" });
    this.node = h("div", { class: "picker", hidden: true }, this.head, this.list);
    // A press must not take the focus from the field.
    this.node.addEventListener("pointerdown", (event) => event.preventDefault());
    this.hide();
  }

  get open() {
    return !this.node.hidden;
  }

  /** The item that Enter takes, if any. */
  get active() {
    return this.items[this.at] ?? null;
  }

  /**
   * Show items `{title, detail, note, symbol}` for a field. With `lead` false nothing is active before an arrow is used.
   */
  show({ input, items, head = null, empty = null, lead = true, onChosen }) {
    if (this.input && this.input !== input) this.release();
    Object.assign(this, { input, items, onChosen, at: lead && items.length ? 0 : -1 });
    this.head.replaceChildren(...[head].flat().filter(Boolean));
    this.head.hidden = !this.head.childNodes.length;
    this.rows = items.map((item, at) => this.row(item, at));
    this.list.replaceChildren(...this.rows);
    if (!items.length && empty) this.list.append(h("p", { class: "picker-empty" }, empty));
    this.list.hidden = !this.list.childNodes.length;
    this.node.hidden = this.head.hidden && this.list.hidden;
    input.setAttribute("aria-controls", this.id);
    this.expanded(items.length > 0);
    this.mark();
  }

  hide() {
    this.release();
    Object.assign(this, { input: null, items: [], rows: [], at: -1, onChosen: null });
    this.node.hidden = true;
  }

  release() {
    this.input?.removeAttribute("aria-activedescendant");
    this.expanded(false);
  }

  /** A combobox says whether its list is open; a text area has no word for that. */
  expanded(open) {
    if (this.input?.getAttribute("role") === "combobox") this.input.setAttribute("aria-expanded", String(open));
  }

  row(item, at) {
    const row = h(
      "div",
      { class: "picker-row", role: "option", id: `${this.id}-${at}`, "aria-selected": "false" },
      item.symbol,
      h("span", { class: "picker-title" }, item.title),
      item.detail && h("span", { class: "picker-detail" }, item.detail),
      item.note && h("span", { class: "tag" }, item.note),
    );
    row.addEventListener("click", () => this.choose(at));
    return row;
  }

  mark() {
    for (const [at, row] of this.rows.entries()) row.setAttribute("aria-selected", String(at === this.at));
    if (this.at < 0) this.input?.removeAttribute("aria-activedescendant");
    else {
      this.input?.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
      this.rows[this.at].scrollIntoView({ block: "nearest" });
    }
  }

  choose(at) {
    const item = this.items[at];
    if (item) this.onChosen(item);
  }

  /** Take a key if it is for the list; returns whether it was. */
  takes(event) {
    if (!this.open || event.isComposing) return false;
    const { length } = this.items;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && length) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.at = this.at < 0 ? (step > 0 ? 0 : length - 1) : (this.at + step + length) % length;
      this.mark();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && this.active) this.choose(this.at);
    else if (event.key === "Escape" && length) this.hide();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
