// One option of a slash command while it is filled in: a pill with its name and a field.

import { act } from "./api.js";
import { avatar } from "./avatar.js";
import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { Kind, limitsOf, problemOf } from "./option_checks.js";
import { store } from "./store.js";

const PAUSE = 250;

/** A field for one option; `call` is the form it is part of. */
export class OptionField {
  constructor(option, call) {
    this.option = option;
    this.call = call;
    this.picked = null;
    this.file = null;
    const id = freshId("option");
    this.trouble = h("span", { class: "trouble", id: `${id}-trouble`, role: "alert" });
    this.input = option.type === Kind.ATTACHMENT ? this.fileButton(id) : this.textInput(id);
    this.node = h("div", { class: this.isText ? "pill wide" : "pill", dataset: { option: option.name } }, h("label", { for: id }, option.name), this.input, this.trouble);
    if (option.type === Kind.ATTACHMENT) this.node.append(this.fileInput);
  }

  /** Whether it takes any text, which needs room. */
  get isText() {
    return this.option.type === Kind.STRING && !this.option.choices?.length && !this.option.autocomplete && (this.option.max_length ?? 6000) > 200;
  }

  textInput(id) {
    const numeric = { [Kind.INTEGER]: "numeric", [Kind.NUMBER]: "decimal" }[this.option.type];
    const input = h("input", {
      id,
      type: "text",
      inputmode: numeric,
      autocomplete: "off",
      spellcheck: "false",
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-describedby": `${id}-trouble`,
      "aria-required": this.option.required ? "true" : null,
      title: this.option.description,
    });
    input.addEventListener("focus", () => this.suggest());
    input.addEventListener("input", () => {
      this.picked = null;
      this.clearTrouble();
      this.grow();
      this.suggest();
    });
    input.addEventListener("blur", () => this.settle());
    return input;
  }

  fileButton(id) {
    this.fileInput = h("input", { type: "file", hidden: true, tabindex: "-1", "aria-hidden": "true" });
    this.fileInput.addEventListener("change", () => this.take(this.fileInput.files[0]));
    const button = h("button", { type: "button", id, class: "file-choice", "aria-describedby": `${id}-trouble` }, icon("file"), "Choose a file");
    button.addEventListener("click", () => this.fileInput.click());
    button.addEventListener("focus", () => this.suggest());
    return button;
  }

  /** Take a file that was chosen, pasted or dropped. */
  take(file) {
    if (!file) return;
    this.file = file;
    this.clearTrouble();
    this.input.replaceChildren(icon("file"), file.name || "pasted.png");
    this.call.ready();
  }

  focus() {
    this.input.focus();
  }

  get text() {
    return this.option.type === Kind.ATTACHMENT ? "" : this.input.value;
  }

  set text(value) {
    this.input.value = value;
    this.grow();
  }

  grow() {
    this.input.style.setProperty("--letters", String(Math.min(60, Math.max(4, this.input.value.length + 1))));
  }

  // -- suggestions --------------------------------------------------------------------------------------------------

  /** Everything that may be picked for this option without asking the bot, or null if it is free text. */
  fixed() {
    const { type, choices } = this.option;
    if (choices?.length) return choices.map((choice) => ({ title: choice.name, value: choice.value }));
    if (type === Kind.BOOLEAN) return [{ title: "True", value: true }, { title: "False", value: false }];
    if (type === Kind.USER || type === Kind.MENTIONABLE) {
      return store.state.users.map((user) => ({ title: user.name, value: user.id, symbol: avatar(user) }));
    }
    if (type === Kind.CHANNEL) return (store.guild?.channels ?? []).map((one) => ({ title: one.name, value: one.id, symbol: icon("hash") }));
    return type === Kind.ROLE ? [] : null;
  }

  suggest() {
    clearTimeout(this.timer);
    const fixed = this.fixed();
    if (fixed) {
      const typed = this.picked ? "" : this.text.toLowerCase();
      const items = fixed.filter((item) => item.title.toLowerCase().includes(typed));
      this.show(items, items.length ? null : "Nothing here fits.");
    } else if (this.option.autocomplete) {
      this.show(this.offered ?? [], this.offered ? null : "Loading options…");
      this.timer = setTimeout(() => this.complete(), this.offered ? PAUSE : 0);
    } else this.show([]);
  }

  async complete() {
    const asked = this.text;
    const body = { user: store.meId, channel: store.channelId, command: this.call.name, options: { ...this.call.validValues(), [this.option.name]: asked }, focused: this.option.name };
    let choices = null;
    try {
      ({ choices } = await act("discord/autocomplete", body));
    } catch {
      // Said below, as Discord says it.
    }
    if (asked !== this.text || document.activeElement !== this.input) return;
    this.offered = choices?.map((choice) => ({ title: choice.name, value: choice.value })) ?? [];
    this.show(this.offered, choices ? "No options match your search." : "Loading options failed");
    if (!choices) this.offered = null;
  }

  show(items, empty = null) {
    const { option } = this;
    const limits = limitsOf(option);
    const head = [
      h("strong", {}, option.name),
      h("span", {}, ` ${option.description}${limits ? ` (${limits})` : ""}`),
      h("span", { class: option.required ? "tag required" : "tag" }, option.required ? "required" : "optional"),
    ];
    // Free text is only replaced by a suggestion that was gone to; a fixed choice is taken at once.
    this.call.picker.show({ input: this.input, items, head, empty, lead: !option.autocomplete && this.text !== "", onChosen: (item) => this.pick(item) });
  }

  pick(item) {
    this.picked = item;
    this.text = item.title;
    this.clearTrouble();
    this.call.picker.hide();
    this.call.after(this);
  }

  /** Take what was typed for the choice it names. */
  settle() {
    clearTimeout(this.timer);
    if (this.picked || !this.text) return;
    const offered = this.fixed() ?? this.offered ?? [];
    this.picked = offered.find((item) => item.title.toLowerCase() === this.text.trim().toLowerCase()) ?? null;
  }

  // -- the value ----------------------------------------------------------------------------------------------------

  problem() {
    this.settle();
    const { option } = this;
    if (option.type === Kind.ATTACHMENT) return option.required && !this.file ? "This option is required. Specify a value." : null;
    if (this.fixed() && this.text && !this.picked) return option.type === Kind.BOOLEAN ? "Select true or false." : "Select one of the options.";
    return this.picked && this.fixed() ? null : problemOf(option, this.text);
  }

  /** Check, say what is wrong, and return whether it is fine. */
  check() {
    const problem = this.problem();
    this.trouble.textContent = problem ?? "";
    this.node.classList.toggle("wrong", Boolean(problem));
    this.input.setAttribute("aria-invalid", String(Boolean(problem)));
    return !problem;
  }

  clearTrouble() {
    this.trouble.textContent = "";
    this.node.classList.remove("wrong");
    this.input.removeAttribute("aria-invalid");
  }

  /** The value as it is sent; undefined when nothing was entered. */
  value() {
    if (this.picked) return this.picked.value;
    if (!this.text) return undefined;
    const numeric = this.option.type === Kind.INTEGER || this.option.type === Kind.NUMBER;
    return numeric ? Number(this.text) : this.text;
  }
}
