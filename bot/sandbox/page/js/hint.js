// The first visit: three things to try, each one press away, ticked off as they are tried.

import { h, remember, remembered } from "./dom.js";
import { icon } from "./icons.js";

/** Show the hint before `place`, unless it was put away on an earlier visit. */
export function setUpHint(place, tries) {
  if (remembered("hint") === "seen") return;
  const away = () => {
    remember("hint", "seen");
    hint.remove();
  };
  const steps = tries.map(({ title, text, go }, at) => {
    const step = h("span", { class: "step", "aria-hidden": "true" }, String(at + 1));
    const button = h("button", { type: "button", class: "try" }, step, h("span", { class: "try-text" }, h("strong", {}, title), h("small", {}, text)));
    button.addEventListener("click", () => {
      button.classList.add("done");
      step.textContent = "✓";
      go();
    });
    return h("li", {}, button);
  });
  const hint = h(
    "section",
    { class: "hint", "aria-label": "Three things to try" },
    h("ol", {}, steps),
    h("button", { type: "button", class: "icon-button", "aria-label": "Put the hint away", onclick: away }, icon("close")),
  );
  place.before(hint);
}
