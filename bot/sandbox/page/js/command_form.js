// A slash command being filled in, where the text field of the composer was.

import { encoded } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { openModal } from "./modal.js";
import { Kind } from "./option_checks.js";
import { OptionField } from "./option_field.js";
import { store } from "./store.js";

/** The form; `leave` gives the composer back, with the text it should hold. */
export class CommandForm {
  constructor(call, { picker, leave }) {
    this.call = call;
    this.name = call.name;
    this.picker = picker;
    this.leave = leave;
    this.fields = [];
    this.pills = h("div", { class: "pills" });
    this.more = h("div", { class: "more-options", role: "group", "aria-label": "More options" });
    const close = h("button", { type: "button", class: "icon-button", "aria-label": `Leave /${call.name}`, onclick: () => this.leave("") }, icon("close"));
    this.node = h(
      "div",
      { class: "command-form", role: "group", tabindex: "-1", "aria-label": `Command /${call.name}, Enter sends it` },
      h("div", { class: "command-line" }, h("span", { class: "command-name" }, `/${call.name}`), this.pills, close),
      this.more,
    );
    this.node.addEventListener("keydown", (event) => this.key(event));
    for (const option of call.options.filter((one) => one.required)) this.add(option);
    this.offerMore();
  }

  /** Begin: the first field gets the focus, and the text that was typed behind the command's name. */
  begin(text = "") {
    const [first] = this.fields;
    if (!first) {
      this.picker.hide();
      this.node.focus();
      return;
    }
    if (text && first.option.type !== Kind.ATTACHMENT) first.text = text;
    first.focus();
  }

  /** Fill options in, as `{name: text}`; the first of them gets the focus. */
  fill(values) {
    const fields = Object.entries(values).map(([name, text]) => {
      const option = this.call.options.find((one) => one.name === name);
      const field = this.fields.find((one) => one.option.name === name) ?? (option && this.add(option));
      if (field) field.text = text;
      return field;
    });
    this.offerMore();
    fields.find(Boolean)?.focus();
  }

  add(option) {
    const field = new OptionField(option, this);
    this.fields.push(field);
    this.pills.append(field.node);
    return field;
  }

  offerMore() {
    const used = new Set(this.fields.map((field) => field.option.name));
    const rest = this.call.options.filter((option) => !used.has(option.name));
    this.more.replaceChildren(
      ...rest.map((option) =>
        h("button", { type: "button", class: "chip", title: option.description, onclick: () => this.addAndGo(option) }, icon("plus"), option.name),
      ),
    );
    this.more.hidden = !rest.length;
  }

  addAndGo(option) {
    const field = this.add(option);
    this.offerMore();
    field.focus();
  }

  drop(field) {
    const at = this.fields.indexOf(field);
    this.fields = this.fields.filter((one) => one !== field);
    field.node.remove();
    this.offerMore();
    (this.fields[at - 1] ?? this.fields[0])?.focus();
  }

  /** Go on after a choice was taken: to the next required field that is empty, or stay. */
  after(field) {
    const next = this.fields.find((one) => one.option.required && one !== field && !one.text && !one.file);
    (next ?? field).input.focus();
    if (!next) this.picker.hide();
  }

  /** A field got its value without typing. */
  ready() {
    this.node.querySelector(".file-choice")?.focus();
  }

  /** Put a pasted or dropped file into the first attachment option that is free; returns whether there was one. */
  takeFile(file) {
    let field = this.fields.find((one) => one.option.type === Kind.ATTACHMENT && !one.file);
    if (!field) {
      const used = new Set(this.fields.map((one) => one.option.name));
      const option = this.call.options.find((one) => one.type === Kind.ATTACHMENT && !used.has(one.name));
      if (!option) return false;
      field = this.add(option);
      this.offerMore();
    }
    field.take(file);
    return true;
  }

  key(event) {
    if (this.picker.takes(event)) return;
    const field = this.fields.find((one) => one.node.contains(event.target));
    if (event.key === "Enter" && event.target.tagName !== "BUTTON" && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.leave("");
    } else if (event.key === "Backspace" && field && !field.text && !field.file) {
      event.preventDefault();
      if (field.option.required) this.leave(`/${this.name}`);
      else this.drop(field);
    }
  }

  /** The values that would be taken as they are; for questions to the bot while one is still typing. */
  validValues() {
    const fine = this.fields.filter((field) => field.option.type !== Kind.ATTACHMENT && !field.problem() && field.value() !== undefined);
    return Object.fromEntries(fine.map((field) => [field.option.name, field.value()]));
  }

  async submit() {
    const wrong = this.fields.filter((field) => !field.check());
    if (wrong.length) {
      wrong[0].focus();
      return;
    }
    const attachments = {};
    for (const field of this.fields) if (field.file) attachments[field.option.name] = await encoded(field.file);
    const body = { channel: store.channelId, command: this.name, options: this.validValues(), attachments };
    this.leave("");
    store.tell("sent");
    const answer = await store.ask("invoke", body, { label: `/${this.name}` });
    if (answer?.modal) openModal(answer);
  }
}
