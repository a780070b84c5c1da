// The menu of a message: Reply, Copy, the bot's own commands under Apps, Delete.

import { act, Refused } from "./api.js";
import { h, toast } from "./dom.js";
import { icon } from "./icons.js";
import { openModal } from "./modal.js";
import { MESSAGE_MENU, store } from "./store.js";

/** Open the menu at a point; the focus goes back to `opener` when it closes. */
export function openMessageMenu(message, opener, point) {
  document.querySelector(".menu")?.remove();
  const apps = store.commands(MESSAGE_MENU);
  const entries = [
    !message.ephemeral_for && entry("reply", "Reply", () => store.tell("reply", message)),
    message.content || message.embeds.length ? entry("copy", "Copy text", () => copy(textOf(message))) : null,
    entry("log", "Show its calls", () => store.tell("calls", message)),
    apps.length > 0 && h("div", { class: "menu-title", role: "presentation" }, "Apps"),
    ...apps.map((command) => entry("apps", command.name, () => useApp(command, message))),
    mayDelete(message) && entry("trash", message.ephemeral_for ? "Dismiss message" : "Delete message", () => deleteIt(message), "danger"),
  ].filter(Boolean);
  const menu = h("div", { class: "menu", role: "menu", "aria-label": "Message", tabindex: "-1" }, entries);
  const rows = entries.filter((one) => one.getAttribute("role") === "menuitem");

  function entry(symbol, label, run, kind = "") {
    const chosen = () => {
      close();
      run();
    };
    return h("button", { type: "button", class: `menu-item ${kind}`, role: "menuitem", tabindex: "-1", onclick: chosen }, icon(symbol), h("span", {}, label));
  }

  function close() {
    document.removeEventListener("pointerdown", outside, true);
    menu.remove();
    if (opener.isConnected) opener.focus({ preventScroll: true });
  }

  const outside = (event) => {
    if (!menu.contains(event.target)) close();
  };
  menu.addEventListener("keydown", (event) => {
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + (at < 0 ? 1 : 0), Home: 0, End: -1 }[event.key];
    if (to !== undefined) rows.at(to % rows.length).focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(menu);
  putAt(menu, point);
  document.addEventListener("pointerdown", outside, true);
  rows[0]?.focus();
}

function putAt(menu, { x, y, alignRight = false }) {
  const { width, height } = menu.getBoundingClientRect();
  const left = alignRight ? x - width : x;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
}

function mayDelete(message) {
  const mine = message.author.id === store.meId || message.ephemeral_for === store.meId;
  return mine || (store.guild && store.me && store.moderates(store.me));
}

async function useApp(command, message) {
  const body = { command: command.name, target: message.id };
  store.tell("sent");
  const answer = await store.ask("context-menu", body, { label: command.name });
  if (answer?.modal) openModal(answer);
}

async function deleteIt(message) {
  try {
    await act("discord/messages/delete", { user: store.meId, message: message.id });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.message, { kind: "error" });
  }
}

/** Return what a message says, without what it only shows. */
function textOf(message) {
  const embeds = message.embeds.flatMap((embed) => [
    embed.title,
    embed.description,
    ...(embed.fields ?? []).map((field) => `${field.name}: ${field.value}`),
    embed.footer?.text,
  ]);
  return [message.content, ...embeds].filter(Boolean).join("\n");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser does not let the page copy here", { kind: "error" });
  }
}
