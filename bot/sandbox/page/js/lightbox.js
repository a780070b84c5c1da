// The larger view of pictures: arrows go on, Escape closes, and there is a way to keep one, and to see what it was made
// from.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** Show a picture large; the dialog gives the focus back when it closes. */
export function showLarge(pictures, first) {
  let at = first;
  const image = h("img", {});
  const count = h("span", { class: "count", "aria-live": "polite" });
  const keep = h("a", { class: "button ghost" }, icon("download"), "Download");
  const before = h("button", { type: "button", class: "button ghost", "aria-pressed": "false", onclick: () => show(at, !showsBefore()) }, "Before");
  const showsBefore = () => before.getAttribute("aria-pressed") === "true";
  const box = h("dialog", { class: "lightbox", "aria-label": "Picture", onclose: () => box.remove() });

  const show = (number, asBefore = false) => {
    at = (number + pictures.length) % pictures.length;
    const one = asBefore ? pictures[at].before : pictures[at];
    before.hidden = !pictures[at].before;
    before.setAttribute("aria-pressed", String(asBefore));
    image.src = one.url;
    image.alt = one.description || one.name;
    keep.href = one.url;
    keep.download = one.name;
    count.textContent = pictures.length > 1 ? `${at + 1} of ${pictures.length} · ${one.name}` : one.name;
  };
  const arrow = (name, label, step) =>
    h("button", { type: "button", class: `icon-button arrow ${name}`, "aria-label": label, onclick: () => show(at + step) }, icon(name));

  box.append(
    h("header", {}, count, before, keep, h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => box.close() }, icon("close"))),
    h("div", { class: "stage" }, image),
  );
  if (pictures.length > 1) box.append(arrow("left", "Previous picture", -1), arrow("right", "Next picture", 1));
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  });
  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.classList.contains("stage")) box.close();
  });
  document.body.append(box);
  show(first);
  box.showModal();
}
