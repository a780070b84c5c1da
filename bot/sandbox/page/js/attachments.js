// Attachments: a gallery of pictures, players for sound and film, and files.

import { h, localUrl } from "./dom.js";
import { icon } from "./icons.js";
import { showLarge } from "./lightbox.js";

// Pictures that were loaded stay loaded while their message is drawn anew; so a key belongs to one place in one message.
const loaded = new Map();

/** Return the attachments of a message, or nothing; `before` is the picture they were made from, if any. */
export function attachmentNodes(files, before = null) {
  const shown = files.map((file) => ({
    key: file.id,
    url: localUrl(file.url),
    name: file.filename,
    type: file.content_type ?? "",
    description: file.description,
    width: file.width,
    height: file.height,
    size: file.size,
    spoiler: file.filename.startsWith("SPOILER_"),
    before,
  }));
  const pictures = shown.filter((file) => file.type.startsWith("image/") && file.url);
  const others = shown.filter((file) => !pictures.includes(file));
  return [pictures.length > 0 && gallery(pictures), ...others.map(otherNode)];
}

/** Return a gallery; a press on a picture shows it large, with its neighbours an arrow away. */
export function gallery(pictures) {
  const tiles = pictures.map((one, number) => {
    const label = `${one.description || one.name}, picture ${number + 1} of ${pictures.length}`;
    return veiled(one, picture(one, { label, open: () => showLarge(pictures, number) }));
  });
  return h("div", { class: `gallery of-${Math.min(pictures.length, 5)}`, role: "group", "aria-label": "Pictures" }, tiles);
}

/** Return one picture as a button that shows it large. */
export function picture(one, { label = one.description || one.name, open = () => showLarge([one], 0) } = {}) {
  const image = loaded.get(one.key) ?? h("img", { src: one.url });
  loaded.set(one.key, image);
  image.alt = one.description || "";
  const button = h("button", { type: "button", class: "shot", "aria-label": `${label}. Show larger`, onclick: open, dataset: { key: `shot-${one.key}` } }, image);
  if (one.width && one.height) {
    button.style.setProperty("--ratio", `${one.width} / ${one.height}`);
    button.style.setProperty("--width", `${one.width}px`);
  }
  return button;
}

function veiled(one, button) {
  if (!one.spoiler || one.revealed) return button;
  button.inert = true;
  const cover = h("button", { type: "button", class: "cover", "aria-label": "Spoiler, press to show the picture" }, "Spoiler");
  const both = h("div", { class: "veiled" }, button, cover);
  cover.addEventListener("click", () => {
    button.inert = false;
    both.replaceWith(button);
    button.focus();
  });
  return both;
}

function otherNode(file) {
  if (file.url && file.type.startsWith("audio/")) return player(file, "audio");
  if (file.url && file.type.startsWith("video/")) return player(file, "video");
  return h(
    "div",
    { class: "file" },
    icon("file"),
    h("div", { class: "file-text" }, h("span", { class: "file-name" }, file.name), h("small", {}, sizeOf(file.size))),
    file.url && h("a", { class: "icon-button", href: file.url, download: file.name, "aria-label": `Download ${file.name}` }, icon("download")),
  );
}

function player(file, tag) {
  const media = loaded.get(file.key) ?? h(tag, { controls: true, preload: "metadata", src: file.url, "aria-label": file.name });
  loaded.set(file.key, media);
  return h("figure", { class: `player ${tag}` }, h("figcaption", {}, file.name, h("small", {}, sizeOf(file.size))), media);
}

/** Return a size in words. */
export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}
