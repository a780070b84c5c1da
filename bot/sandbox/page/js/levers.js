// The parts that levers are made of: sliders, switches, and doing something with a button busy meanwhile.

import { Refused } from "./api.js";
import { freshId, h, toast } from "./dom.js";

/** Do something, with the button busy meanwhile; what the world refuses is said. */
export async function run(button, deed, said = null) {
  button?.setAttribute("aria-busy", "true");
  try {
    await deed();
    if (said) toast(said);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.message, { kind: "error" });
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

/** Return a button that does something to the world. */
export function lever(label, deed, { said = null, kind = "secondary small", ...props } = {}) {
  const button = h("button", { type: "button", class: `button ${kind}`, onclick: () => run(button, deed, said), ...props }, label);
  return button;
}

/** Return a slider as `{node, take}`; `take` shows what the world says, unless it is being moved. */
export function slider(label, range, set, word = String) {
  const id = freshId("slider");
  const input = h("input", { type: "range", id, step: 1, ...range });
  const output = h("output", { for: id });
  const show = () => {
    output.textContent = word(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", show);
  input.addEventListener("change", () => run(null, () => set(Number(input.value))));
  const take = (value) => {
    if (document.activeElement === input && input.matches(":active")) return;
    input.value = value;
    show();
  };
  return { node: h("div", { class: "slider" }, h("label", { for: id }, label), output, input), take };
}

/** Return a switch as `{node, take}`. */
export function toggle(label, set) {
  const input = h("input", { type: "checkbox", onchange: () => run(null, () => set(input.checked)) });
  return { node: h("label", { class: "check" }, input, label), take: (on) => (input.checked = on) };
}

/** Return a lamp that is on or off. */
export const lamp = (on) => h("span", { class: `lamp ${on ? "on" : "off"}` });

/** A speed on a slider of powers of two, and back. */
export const SPEED = { min: -2, max: 6 };
export const speedOf = (value) => 2 ** value;
export const valueOf = (speed) => Math.round(Math.log2(speed));
export const speedWord = (value) => `${2 ** value}×`;
