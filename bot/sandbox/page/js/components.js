// What a message has to press and choose from, and the layout of messages that are made of components.

import { gallery, picture } from "./attachments.js";
import { chooser } from "./chooser.js";
import { h, localUrl, webUrl } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { warn } from "./markdown_inline.js";
import { openModal } from "./modal.js";
import { optionsOf } from "./select_options.js";
import { names, store } from "./store.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

const MAKERS = {
  1: (row, message) => h("div", { class: "button-row", role: "group", "aria-label": "Actions" }, all(row.components, message)),
  2: buttonNode,
  3: selectNode,
  5: selectNode,
  6: selectNode,
  7: selectNode,
  8: selectNode,
  9: (section, message) =>
    h("div", { class: "section" }, h("div", {}, all(section.components, message)), section.accessory && componentNode(section.accessory, message)),
  10: (text) => h("div", { class: "markdown" }, markdown(text.content ?? "", names)),
  11: (thumbnail, message) => h("div", { class: "thumbnail" }, mediaNode(thumbnail, message)),
  12: (media, message) => gallery(media.items.map((item) => asPicture(item, message)).filter((one) => one.url)),
  13: (file, message) => fileNode(file, message),
  14: (line) => h("hr", { class: line.divider === false ? "space" : null }),
  17: containerNode,
};

/** Return the nodes of a list of components. */
export function all(components, message) {
  return (components ?? []).map((component) => componentNode(component, message)).filter(Boolean);
}

function componentNode(component, message) {
  return MAKERS[component.type]?.(component, message) ?? null;
}

function containerNode(container, message) {
  const node = h("div", { class: "embed container" }, h("div", { class: "embed-body" }, all(container.components, message)));
  const colour = container.accent_color;
  if (Number.isInteger(colour)) node.style.setProperty("--stripe", `#${colour.toString(16).padStart(6, "0")}`);
  return node;
}

function asPicture({ media, description, spoiler }, message) {
  const url = localUrl(media?.url);
  const name = url ? decodeURIComponent(url.split("?")[0].split("/").pop()) : "picture";
  return { key: `${message.id}/${url}`, url, name, description, spoiler, width: media?.width, height: media?.height };
}

function mediaNode(item, message) {
  const one = asPicture(item, message);
  return one.url ? picture(one) : null;
}

function fileNode(file) {
  const url = localUrl(file.file?.url);
  if (!url) return null;
  const name = decodeURIComponent(url.split("?")[0].split("/").pop());
  return h("div", { class: "file" }, icon("file"), h("span", { class: "file-name" }, name), h("a", { class: "icon-button", href: url, download: name, "aria-label": `Download ${name}` }, icon("download")));
}

// -- buttons and selects --------------------------------------------------------------------------------------------

function buttonNode(button, message) {
  const content = [button.emoji?.name && h("span", { class: "emoji", "aria-hidden": "true" }, button.emoji.name), button.label];
  const key = `${message.id}/${button.custom_id ?? button.url}`;
  if (button.style === 5) {
    const url = webUrl(button.url);
    return h("button", { type: "button", class: "button secondary", disabled: button.disabled || !url, dataset: { key }, onclick: () => warn(url) }, content, icon("globe"));
  }
  return h(
    "button",
    {
      type: "button",
      class: `button ${STYLES[button.style] ?? "secondary"}`,
      disabled: button.disabled,
      "aria-label": button.label ? null : button.emoji?.name,
      dataset: { key, customId: button.custom_id },
      onclick: (event) => press(event.currentTarget, message, button),
    },
    content,
  );
}

async function press(node, message, button) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  const label = button.label ?? button.emoji?.name ?? "a button";
  const answer = await store.ask("press", { message: message.id, custom_id: button.custom_id }, { label, messageId: message.id });
  node.removeAttribute("aria-busy");
  if (answer?.modal) openModal(answer);
}

function selectNode(select, message) {
  const options = optionsOf(select);
  const chosen = options.filter((option) => option.default).map((option) => option.value);
  return chooser({
    key: `${message.id}/${select.custom_id}`,
    label: select.placeholder || "Make a selection",
    options,
    chosen,
    least: select.min_values ?? 1,
    most: select.max_values ?? 1,
    disabled: select.disabled,
    onChosen: async (values) => {
      const body = { message: message.id, custom_id: select.custom_id, values };
      const answer = await store.ask("select", body, { label: select.placeholder ?? "a selection", messageId: message.id });
      if (answer?.modal) openModal(answer);
    },
  });
}
