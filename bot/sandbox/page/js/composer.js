// Where one writes: messages with files and replies, and what `/` and `@` begin.

import { act, encoded, Refused } from "./api.js";
import { avatar } from "./avatar.js";
import { CommandForm } from "./command_form.js";
import { callable, matching } from "./commands.js";
import { byId, h, toast } from "./dom.js";
import { icon } from "./icons.js";
import { previewOf } from "./message.js";
import { Picker } from "./picker.js";
import { CHAT_INPUT, store } from "./store.js";

const MOST_FILES = 10;
const LONGEST = 2000;

/** The composer at the foot of the chat. */
export class Composer {
  constructor() {
    this.files = [];
    this.replyTo = null;
    this.form = null;
    this.wanted = null;
    this.picker = new Picker();
    this.replyBar = h("div", { class: "reply-bar", hidden: true });
    this.tray = h("div", { class: "tray", hidden: true });
    this.input = h("textarea", { rows: "1", autocomplete: "off", "aria-label": "Message", "aria-autocomplete": "list" });
    this.fileInput = h("input", { type: "file", multiple: true, hidden: true, tabindex: "-1", "aria-hidden": "true" });
    const attach = h("button", { type: "button", class: "icon-button", "aria-label": "Attach files", title: "Attach files", onclick: () => this.fileInput.click() }, icon("plus"));
    this.sendButton = h("button", { type: "button", class: "icon-button send", "aria-label": "Send", title: "Send (Enter)", onclick: () => this.send() }, icon("send"));
    this.slot = h("div", { class: "slot" }, this.input);
    byId("composer").append(this.picker.node, this.replyBar, this.tray, h("div", { class: "write" }, attach, this.slot, this.sendButton, this.fileInput));
    this.listen();
  }

  listen() {
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => !this.form && this.picker.hide());
    this.input.addEventListener("focus", () => this.typed());
    this.fileInput.addEventListener("change", () => {
      this.takeFiles(this.fileInput.files);
      this.fileInput.value = "";
    });
    byId("composer").addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) {
        event.preventDefault();
        this.takeFiles(event.clipboardData.files);
      }
    });
    const chat = byId("chat");
    chat.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      chat.classList.add("dropping");
    });
    chat.addEventListener("dragleave", (event) => !chat.contains(event.relatedTarget) && chat.classList.remove("dropping"));
    chat.addEventListener("drop", (event) => {
      event.preventDefault();
      chat.classList.remove("dropping");
      this.takeFiles(event.dataTransfer.files);
    });
    store.on("place", () => {
      this.describe();
      this.useWanted();
    });
    store.on("reply", (message) => this.reply(message));
  }

  describe() {
    const { channel } = store;
    const place = channel?.guild_id ? `#${channel.name}` : `@${store.bot?.name ?? "bot"}`;
    this.input.placeholder = innerWidth < 480 ? `Message ${place}` : `Message ${place}, or / for commands`;
    this.input.setAttribute("aria-label", `Message ${place}`);
    if (this.placeId !== `${store.channelId} ${store.meId}`) {
      this.placeId = `${store.channelId} ${store.meId}`;
      this.reply(null, { focus: false });
      if (this.form) this.leave("", { focus: false });
    }
  }

  /** Show all commands, as typing a slash does. */
  openPicker() {
    if (this.form) this.leave("");
    this.input.value = "/";
    this.input.focus();
    this.typed();
  }

  /** Begin a command by its name, with some of its options filled in. */
  useCommand(name, options = {}) {
    const calls = callable(store.commands(CHAT_INPUT));
    const call = calls.find((one) => one.name === name);
    if (call) {
      this.begin(call);
      this.form.fill(options);
    } else if (calls.length) toast(`There is no /${name} here`, { kind: "error" });
    else {
      toast("The bot is on its way…");
      this.wanted = { name, options };
    }
  }

  /** Begin what was wanted before the bot had come, unless something else was begun meanwhile. */
  useWanted() {
    const { wanted } = this;
    if (!wanted || !store.commands(CHAT_INPUT).length) return;
    this.wanted = null;
    byId("toasts").replaceChildren();
    if (!this.form && !this.input.value) this.useCommand(wanted.name, wanted.options);
  }

  // -- typing -------------------------------------------------------------------------------------------------------

  typed() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 220)}px`;
    const text = this.input.value;
    if (text.startsWith("/") && !text.includes("\n")) this.suggestCommands(text.slice(1));
    else this.suggestPeople();
    this.sendButton.classList.toggle("ready", Boolean(text.trim() || this.files.length));
  }

  suggestCommands(typed) {
    const calls = callable(store.commands(CHAT_INPUT));
    const named = calls.find((call) => typed.startsWith(`${call.name} `));
    if (named) {
      this.begin(named, typed.slice(named.name.length + 1));
      return;
    }
    const items = matching(calls, typed).map((call) => ({ title: `/${call.name}`, detail: call.description, note: needs(call), symbol: avatar(store.bot), call }));
    const empty = calls.length ? "No command fits. Press Escape to write it as a message." : "The bot has registered no commands here. Is it running?";
    this.picker.show({ input: this.input, items, head: h("strong", {}, store.bot?.name ?? "Commands"), empty, onChosen: (item) => this.begin(item.call) });
  }

  suggestPeople() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const found = /(?:^|\s)@(\w*)$/.exec(before);
    const people = found ? store.state.users.filter((user) => user.name.toLowerCase().startsWith(found[1].toLowerCase())) : [];
    if (!people.length) {
      this.picker.hide();
      return;
    }
    const items = people.map((user) => ({ title: user.name, note: user.bot ? "App" : null, symbol: avatar(user) }));
    const insert = (item) => {
      const start = before.length - found[1].length;
      this.input.setRangeText(`${item.title} `, start, this.input.selectionStart, "end");
      this.picker.hide();
      this.typed();
    };
    this.picker.show({ input: this.input, items, head: h("strong", {}, "People"), onChosen: insert });
  }

  key(event) {
    if (this.picker.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape" && this.replyTo) this.reply(null);
    else if (event.key === "Escape" && this.picker.open) this.picker.hide();
  }

  // -- commands -----------------------------------------------------------------------------------------------------

  begin(call, text = "") {
    this.picker.hide();
    this.input.value = "";
    this.form = new CommandForm(call, { picker: this.picker, leave: (left, how) => this.leave(left, how) });
    this.slot.replaceChildren(this.form.node);
    byId("chat").classList.add("filling");
    this.sendButton.classList.add("ready");
    for (const file of this.files.splice(0)) if (!this.form.takeFile(file)) this.files.push(file);
    this.drawTray();
    this.form.begin(text);
  }

  leave(text, { focus = true } = {}) {
    this.form = null;
    this.picker.hide();
    this.slot.replaceChildren(this.input);
    byId("chat").classList.remove("filling");
    this.input.value = text;
    if (focus) this.input.focus();
    this.typed();
  }

  // -- files and replies --------------------------------------------------------------------------------------------

  takeFiles(files) {
    for (const file of files) {
      if (this.form?.takeFile(file)) continue;
      if (this.files.length < MOST_FILES) this.files.push(file);
      else toast(`A message holds ${MOST_FILES} files at most`, { kind: "error" });
    }
    this.drawTray();
  }

  drawTray() {
    this.tray.hidden = !this.files.length;
    this.tray.replaceChildren(
      ...this.files.map((file, at) => {
        const drop = () => {
          this.files.splice(at, 1);
          this.drawTray();
          this.input.focus();
        };
        return h("div", { class: "file" }, icon("file"), h("span", { class: "file-name" }, file.name || "pasted.png"), h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}`, onclick: drop }, icon("close")));
      }),
    );
    if (!this.form) this.sendButton.classList.toggle("ready", Boolean(this.input.value.trim() || this.files.length));
  }

  reply(message, { focus = true } = {}) {
    this.replyTo = message;
    this.replyBar.hidden = !message;
    if (message) {
      const cancel = h("button", { type: "button", class: "icon-button", "aria-label": "Do not reply", onclick: () => this.reply(null) }, icon("close"));
      this.replyBar.replaceChildren(h("span", {}, "Replying to ", h("strong", {}, message.author.name), h("span", { class: "preview" }, ` ${previewOf(message)}`)), cancel);
    }
    if (focus) (this.form ? this.form : this.input).focus?.();
  }

  // -- sending ------------------------------------------------------------------------------------------------------

  async send() {
    if (this.form) {
      await this.form.submit();
      return;
    }
    const content = this.input.value.trim();
    if (!content && !this.files.length) return;
    if ([...content].length > LONGEST) {
      toast(`Your message is too long: ${[...content].length} of ${LONGEST} characters`, { kind: "error" });
      return;
    }
    store.tell("sent");
    const files = this.files;
    const reply = this.replyTo;
    this.input.value = "";
    this.files = [];
    this.reply(null);
    this.drawTray();
    this.typed();
    try {
      const attachments = await Promise.all(files.map(encoded));
      await act("discord/messages", { user: store.meId, channel: store.channelId, content: withMentions(content), attachments, reply_to: reply?.id });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.message, { kind: "error" });
      this.input.value = content;
      this.files = files;
      this.drawTray();
      this.typed();
    }
  }
}

function needs(call) {
  const first = call.options.find((option) => option.required);
  return first ? first.name : null;
}

/** Turn `@Name` into a mention wherever somebody has that name. */
function withMentions(text) {
  return text.replace(/(^|[\s(])@(\w+)/g, (whole, before, name) => {
    const user = store.userNamed(name);
    return user ? `${before}<@${user.id}>` : whole;
  });
}
