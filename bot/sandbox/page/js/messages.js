// The list of messages: drawn once, then changed where something changed, and kept at its end.

import { avatar } from "./avatar.js";
import { byId, h } from "./dom.js";
import { icon } from "./icons.js";
import { dismissLink, messageNode } from "./message.js";
import { openMessageMenu } from "./message_menu.js";
import { store } from "./store.js";

const TOGETHER = 7 * 60 * 1000;
const NEAR_END = 120;

/** Draw the messages and keep them up to date; `openPicker` shows what commands there are. */
export function setUpMessages({ openPicker }) {
  const log = byId("log");
  const list = h("div", { class: "list" });
  const underWay = h("div", { class: "list under-way" });
  log.append(list, underWay);

  // Whoever reads the end stays there, whatever grows or shrinks: new messages, late pictures, the composer.
  let stays = true;
  const toEnd = () => {
    stays = true;
    unseen.hidden = true;
    log.scrollTop = log.scrollHeight;
  };
  const keepEnd = () => stays && toEnd();
  log.addEventListener("scroll", () => {
    stays = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    if (stays) unseen.hidden = true;
  });
  // Whoever reads further up is told of what comes, such as the private answer to a button of an old message.
  const down = () => {
    toEnd();
    log.focus({ preventScroll: true });
  };
  const unseen = h("button", { type: "button", class: "button primary small unseen", hidden: true, onclick: down }, icon("down"), "New messages");
  log.after(h("div", { class: "below-log" }, unseen));
  const sizes = new ResizeObserver(keepEnd);
  for (const part of [log, list, underWay]) sizes.observe(part);
  const sorted = () => [...store.messages.values()].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  const nodeOf = (id) => list.querySelector(`.message[data-id="${CSS.escape(id)}"]`);

  function drawAll() {
    const shown = sorted();
    list.replaceChildren(beginning(openPicker), ...shown.map((message, at) => messageNode(message, { follows: follows(shown[at - 1], message) })));
    rove();
    drawActs();
    toEnd();
  }

  function drawOne(message) {
    const shown = sorted();
    const at = shown.indexOf(message);
    const node = messageNode(message, { follows: follows(shown[at - 1], message) });
    const old = nodeOf(message.id);
    if (old) replaceKeepingFocus(old, node);
    else {
      const next = shown[at + 1] && nodeOf(shown[at + 1].id);
      if (next) next.before(node);
      else list.append(node);
      unseen.hidden = stays;
    }
    rove();
    keepEnd();
  }

  function drawActs() {
    const mine = store.acts.filter((one) => one.userId === store.meId && one.channelId === store.channelId && !one.messageId);
    underWay.replaceChildren(...mine.map(actNode));
    keepEnd();
  }

  /** One message is a stop for the Tab key, the arrows go on from there. */
  function rove() {
    const nodes = [...list.querySelectorAll(".message")];
    if (!nodes.some((node) => node.tabIndex === 0)) nodes.at(-1)?.setAttribute("tabindex", "0");
  }

  store.on("messages", drawAll);
  store.on("message", drawOne);
  store.on("sent", toEnd);
  store.on("gone", (id) => {
    const node = nodeOf(id);
    const had = node?.contains(document.activeElement);
    node?.remove();
    rove();
    if (had) log.focus();
  });
  store.on("acts", () => {
    drawActs();
    const touched = new Set(store.acts.map((one) => one.messageId).filter(Boolean));
    for (const node of list.querySelectorAll(".message")) {
      const message = store.messages.get(node.dataset.id);
      const failed = node.querySelector(".failed");
      const failing = store.acts.some((one) => one.messageId === node.dataset.id && one.state === "failed");
      if (message && Boolean(failed) !== failing && (touched.has(message.id) || failed)) drawOne(message);
    }
  });
  list.addEventListener("keydown", moveWithArrows);
}

function moveWithArrows(event) {
  const here = document.activeElement?.closest(".message");
  if (!here || document.activeElement !== here) return;
  const messages = [...here.parentElement.querySelectorAll(".message")];
  const at = messages.indexOf(here);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: messages.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    const next = messages[Math.max(0, Math.min(messages.length - 1, to))];
    here.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  } else if (event.key === "Enter") {
    event.preventDefault();
    const place = here.getBoundingClientRect();
    openMessageMenu(store.messages.get(here.dataset.id), here, { x: place.left + 72, y: Math.min(place.top + 40, innerHeight - 60) });
  }
}

function follows(before, message) {
  if (!before || message.reply_to || message.interaction_id || before.ephemeral_for !== message.ephemeral_for) return false;
  return before.author.id === message.author.id && Date.parse(message.created_at) - Date.parse(before.created_at) < TOGETHER;
}

function replaceKeepingFocus(old, node) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.dataset.key;
  if (old.tabIndex === 0) node.setAttribute("tabindex", "0");
  old.replaceWith(node);
  if (!focused) return;
  const same = key && key !== node.dataset.key && [...node.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  (same || node).focus({ preventScroll: true });
}

function actNode(one) {
  const failed = one.state === "failed";
  return h(
    "div",
    { class: `message act ${failed ? "ephemeral" : ""}` },
    h("div", { class: "reference" }, h("span", { class: "elbow", "aria-hidden": "true" }), avatar(store.me), h("strong", {}, store.me?.name ?? ""), " used ", h("span", { class: "used" }, one.label)),
    h("div", { class: "gutter" }, avatar(store.bot ?? { bot: true })),
    h(
      "div",
      { class: "content" },
      h("header", {}, h("span", { class: "author" }, store.bot?.name ?? "Bot"), h("span", { class: "tag app" }, "App")),
      failed ? h("p", { class: "failed", role: "alert" }, one.reason) : h("p", { class: "thinking" }, h("span", { class: "dots", "aria-hidden": "true" }), "Sending command…"),
      failed && h("p", { class: "only-you" }, icon("eye"), "Only you can see this ·", dismissLink(() => store.forget(one))),
    ),
  );
}

function beginning(openPicker) {
  const channel = store.channel;
  if (!channel) return h("div", {});
  const direct = !channel.guild_id;
  const title = direct ? store.bot?.name ?? "Bot" : `Welcome to #${channel.name}`;
  const about = direct
    ? "Just you and the bot. Commands work here as they do in a server."
    : channel.nsfw
      ? "An age-restricted channel: what is not meant for everyone may be asked for here only."
      : "Nobody here is real but the bot. Type / to see what it can do.";
  return h(
    "div",
    { class: "beginning" },
    direct ? avatar(store.bot) : h("span", { class: "big-symbol" }, icon(channel.nsfw ? "lock" : "hash")),
    h("h2", {}, title),
    h("p", {}, about),
    h("button", { type: "button", class: "button primary", onclick: openPicker }, "See what the bot can do"),
  );
}
