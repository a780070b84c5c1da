// Avatars: initials on a colour that belongs to the name; the bot wears the mark.

import { h } from "./dom.js";

const HUES = 8;

/** Return the picture of a user. */
export function avatar(user) {
  if (user?.bot) return h("img", { class: "avatar", src: "/page/mark.svg", alt: "", width: "40", height: "40" });
  const name = user?.name ?? "?";
  const hue = [...name].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 7) % HUES;
  return h("span", { class: `avatar hue-${Math.abs(hue)}`, "aria-hidden": "true" }, [...name][0].toUpperCase());
}
