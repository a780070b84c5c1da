// Embeds: title, text, fields, picture, footer, a stripe of colour.

import { timeNode } from "./clock.js";
import { h, localUrl, webUrl } from "./dom.js";
import { picture } from "./attachments.js";
import { markdown } from "./markdown.js";
import { inline, warn } from "./markdown_inline.js";

/** Return an embed of a message. */
export function embedNode(embed, names, messageId) {
  const node = h(
    "div",
    { class: "embed" },
    h(
      "div",
      { class: "embed-body" },
      embed.author?.name && h("div", { class: "embed-author" }, embed.author.name),
      embed.title && h("div", { class: "embed-title" }, titleOf(embed, names)),
      embed.description && h("div", { class: "markdown" }, markdown(embed.description, names)),
      embed.fields?.length > 0 && fields(embed.fields, names),
      embed.image?.url && embedPicture(embed.image, "embed-image", messageId),
      footer(embed),
    ),
    embed.thumbnail?.url && embedPicture(embed.thumbnail, "embed-thumbnail", messageId),
  );
  if (Number.isInteger(embed.color)) node.style.setProperty("--stripe", `#${embed.color.toString(16).padStart(6, "0")}`);
  return node;
}

function titleOf(embed, names) {
  const url = embed.url && webUrl(embed.url);
  if (!url) return inline(embed.title, names);
  const opened = (event) => {
    event.preventDefault();
    warn(url);
  };
  return h("a", { href: url, rel: "noopener noreferrer", title: url, onclick: opened }, inline(embed.title, names));
}

function fields(list, names) {
  return h(
    "dl",
    { class: "fields" },
    list.map((field) =>
      h(
        "div",
        { class: field.inline ? "field inline" : "field" },
        h("dt", {}, inline(field.name, names)),
        h("dd", { class: "markdown" }, markdown(field.value, names)),
      ),
    ),
  );
}

function embedPicture(media, className, messageId) {
  const url = localUrl(media.url);
  if (!url) return h("p", { class: "not-shown" }, "A picture from elsewhere; the playground loads nothing from outside.");
  return h("div", { class: className }, picture({ key: `${messageId}/${url}`, url, name: "Picture", description: media.description, width: media.width, height: media.height }));
}

function footer(embed) {
  if (!embed.footer?.text && !embed.timestamp) return null;
  return h(
    "div",
    { class: "embed-footer" },
    embed.footer?.text,
    embed.footer?.text && embed.timestamp ? " · " : null,
    embed.timestamp && timeNode(Date.parse(embed.timestamp), "s", ""),
  );
}
