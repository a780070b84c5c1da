// The first visit: things to try, each one press away, and ticked off once they really happened, also for later visits.

import { look } from "./api.js";
import { h, remember, remembered } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

/** When a thing to try has happened, by its kind: calls `done` then. */
const HAPPENS = {
  /** The command that it names was answered with a file. */
  command: ({ command }, done) =>
    store.on("message", (message) => {
      const used = store.interactions.get(message.interaction_id);
      if (used?.label === `/${command}` && message.files.length) done();
    }),
  kill: (_, done) => store.on("killed", done),
  person: (_, done) => {
    const been = new Set();
    const note = () => store.meId && been.add(store.meId).size > 1 && done();
    note();
    store.on("place", note);
  },
};

/**
 * Show the hint before `place`, unless it was put away on an earlier visit. What there is to try is the world's to say
 * (`/sandbox/playground`); `go[kind](try)` leads to where it is done.
 */
export async function setUpHint(place, go) {
  if (remembered("hint") === "seen") return;
  const { tries } = await look("playground");
  const done = new Set((remembered("hint.done") ?? "").split(" "));
  const away = () => {
    remember("hint", "seen");
    hint.remove();
  };
  const steps = tries.map((one, at) => {
    const step = h("span", { class: "step", "aria-hidden": "true" }, String(at + 1));
    const said = h("span", { class: "hidden-label" });
    const text = h("span", { class: "try-text" }, h("strong", {}, one.title, said), h("small", {}, one.text));
    const button = h("button", { type: "button", class: "try", onclick: () => go[one.kind](one) }, step, text);
    const tick = () => {
      button.classList.add("done");
      step.textContent = "✓";
      said.textContent = " (done)";
    };
    if (done.has(one.kind)) tick();
    else
      HAPPENS[one.kind](one, () => {
        tick();
        remember("hint.done", [...done.add(one.kind)].join(" "));
      });
    return h("li", {}, button);
  });
  const hint = h(
    "section",
    { class: "hint", "aria-label": "Things to try" },
    h("ol", {}, steps),
    h("button", { type: "button", class: "icon-button", "aria-label": "Put the hint away", onclick: away }, icon("close")),
  );
  place.before(hint);
}
