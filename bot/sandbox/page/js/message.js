// One message, with everything that can be on it.

import { act } from "./api.js";
import { attachmentNodes } from "./attachments.js";
import { avatar } from "./avatar.js";
import { pictureBefore } from "./before.js";
import { timeNode } from "./clock.js";
import { all } from "./components.js";
import { h } from "./dom.js";
import { embedNode } from "./embed.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { openMessageMenu } from "./message_menu.js";
import { names, store } from "./store.js";

const LAYOUT_FLAG = 1 << 15;

/** Return a message; `follows` is true when it goes on from the one before. */
export function messageNode(message, { follows }) {
  const layout = Boolean(message.flags & LAYOUT_FLAG);
  const author = store.user(message.author.id) ?? message.author;
  const node = h(
    "article",
    {
      class: ["message", follows && "follows", message.ephemeral_for && "ephemeral", mentionsMe(message) && "to-me"].filter(Boolean).join(" "),
      tabindex: "-1",
      "aria-label": `${author.name}, ${new Date(message.created_at).toLocaleTimeString("en", { timeStyle: "short" })}`,
      dataset: { id: message.id, key: message.id },
    },
    reference(message),
    h("div", { class: "gutter" }, follows ? timeNode(Date.parse(message.created_at), "t", "small-time") : avatar(author)),
    h(
      "div",
      { class: "content" },
      !follows && heading(message, author),
      body(message, layout),
      failures(message),
      message.ephemeral_for && onlyYou(message),
    ),
    tools(message),
  );
  node.addEventListener("contextmenu", (event) => {
    // Chosen text and links keep the browser's own menu.
    if (event.target.closest("a, input, audio, video") || getSelection()?.toString()) return;
    event.preventDefault();
    openMessageMenu(message, node, { x: event.clientX, y: event.clientY });
  });
  return node;
}

function mentionsMe(message) {
  return message.author.id !== store.meId && message.pings?.users?.includes(store.meId);
}

function heading(message, author) {
  return h(
    "header",
    {},
    h("span", { class: "author" }, author.name),
    author.bot && h("span", { class: "tag app" }, "App"),
    timeNode(Date.parse(message.created_at), "t", "sent"),
  );
}

function body(message, layout) {
  if (message.loading) return h("p", { class: "thinking" }, h("span", { class: "dots", "aria-hidden": "true" }), `${message.author.name} is thinking…`);
  const text = message.content && h("div", { class: "markdown" }, markdown(message.content, names));
  const edited = message.edited_at && h("span", { class: "edited", title: new Date(message.edited_at).toLocaleString("en") }, "(edited)");
  if (layout) return [all(message.components, message), edited];
  return [
    text,
    attachmentNodes(message.attachments, message.author.bot ? pictureBefore(message) : null),
    (message.embeds ?? []).map((embed) => embedNode(embed, names, message.id)),
    edited,
    all(message.components, message),
  ];
}

/** What stands above a message: the command it answers, or the message it replies to. */
function reference(message) {
  const used = message.interaction_id && store.interactions.get(message.interaction_id);
  if (used && used.kind === "command") {
    const person = store.user(used.user_id);
    const label = used.label.replace(/^menu /, "");
    return h("div", { class: "reference" }, elbow(), avatar(person), h("strong", {}, person?.name ?? "Somebody"), " used ", h("span", { class: "used" }, label));
  }
  if (!message.reply_to) return null;
  const source = store.messages.get(message.reply_to);
  if (!source) return h("div", { class: "reference" }, elbow(), h("em", {}, "Original message was deleted"));
  const jump = () => {
    const target = document.querySelector(`.message[data-id="${CSS.escape(source.id)}"]`);
    target?.scrollIntoView({ block: "center" });
    target?.focus();
  };
  return h(
    "div",
    { class: "reference" },
    elbow(),
    avatar(store.user(source.author.id)),
    h("strong", {}, source.author.name),
    h("button", { type: "button", class: "preview", onclick: jump }, previewOf(source)),
  );
}

const elbow = () => h("span", { class: "elbow", "aria-hidden": "true" });

/** Return the beginning of a message as one line of text. */
export function previewOf(message) {
  const text = message.content || message.embeds?.[0]?.description || message.embeds?.[0]?.title || "";
  const blocks = markdown(text.slice(0, 300), names).map((block) => block.textContent);
  const line = blocks.join(" ").replace(/\s+/g, " ").trim();
  return line.slice(0, 120) || (message.attachments.length ? "Press to see the attachment" : "Press to see the message");
}

function failures(message) {
  return store.acts
    .filter((one) => one.state === "failed" && one.messageId === message.id && one.userId === store.meId)
    .map((one) => h("p", { class: "failed", role: "alert" }, one.reason, " ", dismissLink(() => store.forget(one))));
}

function onlyYou(message) {
  const dismiss = () => act("discord/messages/delete", { user: store.meId, message: message.id });
  return h("p", { class: "only-you" }, icon("eye"), "Only you can see this ·", dismissLink(dismiss));
}

export function dismissLink(dismiss) {
  return h("button", { type: "button", class: "text-button", onclick: dismiss }, "Dismiss message");
}

function tools(message) {
  const open = (event) => {
    const place = event.currentTarget.getBoundingClientRect();
    openMessageMenu(message, event.currentTarget, { x: place.right, y: place.bottom, alignRight: true });
  };
  return h(
    "div",
    { class: "tools" },
    !message.ephemeral_for &&
      h("button", { type: "button", class: "icon-button", "aria-label": "Reply", title: "Reply", onclick: () => store.tell("reply", message) }, icon("reply")),
    h("button", { type: "button", class: "icon-button", "aria-label": "More for this message", "aria-haspopup": "menu", title: "More", dataset: { key: `more-${message.id}` }, onclick: open }, icon("dots")),
  );
}
