// Sections of the world's panel that fold away; how somebody left them is remembered.

import { freshId, h, remember, remembered } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Return a section with a heading that folds it. `aside` stands beside the heading and stays in sight.
 * `section.unfold()` opens it.
 */
export function foldable({ name, title, aside = null, folded = false, className = "part" }, ...content) {
  const id = freshId("part");
  const body = h("div", { class: "part-body", id: `${id}-body` }, content);
  const button = h("button", { type: "button", class: "fold", id, "aria-controls": `${id}-body` }, icon("down"), title);
  const section = h("section", { class: className, "aria-labelledby": id }, h("div", { class: "part-head" }, h("h3", {}, button), aside), body);
  const show = (open) => {
    body.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    section.classList.toggle("folded", !open);
  };
  section.unfold = () => show(true);
  button.addEventListener("click", () => {
    show(body.hidden);
    remember(`fold.${name}`, body.hidden ? "folded" : "open");
  });
  show((remembered(`fold.${name}`) ?? (folded ? "folded" : "open")) === "open");
  return section;
}
