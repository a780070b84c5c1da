// The world's clock as the page knows it, and every time on the page that has to keep up with it.

import { h } from "./dom.js";

let reading = { now: Date.now(), rate: 1 };
let taken = performance.now();

/** Take over a reading: `{now: ISO 8601, rate}`. */
export function setClock({ now, rate }) {
  reading = { now: Date.parse(now), rate };
  taken = performance.now();
  tick();
}

/** Milliseconds since 1970 in the world. */
export const worldNow = () => reading.now + (performance.now() - taken) * reading.rate;

/** World seconds in a real second. */
export const worldRate = () => reading.rate;

const format = (options) => (date) => new Intl.DateTimeFormat("en", options).format(date);

const STYLES = {
  t: format({ timeStyle: "short" }),
  T: format({ timeStyle: "medium" }),
  d: format({ dateStyle: "short" }),
  D: format({ dateStyle: "long" }),
  f: format({ dateStyle: "long", timeStyle: "short" }),
  F: format({ dateStyle: "full", timeStyle: "short" }),
  s: format({ dateStyle: "short", timeStyle: "short" }),
  S: format({ dateStyle: "short", timeStyle: "medium" }),
  R: relative,
};

const UNITS = [
  ["year", 31557600],
  ["month", 2629800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const WORDS = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function relative(date) {
  const seconds = Math.round((date.getTime() - worldNow()) / 1000);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return WORDS.format(Math.round(seconds / length), unit);
}

/** Return a `<time>` in one of Discord's styles; relative ones count on by themselves. */
export function timeNode(milliseconds, style = "f", className = "stamp") {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return h("span", { class: className }, "Invalid date");
  const node = h("time", { datetime: date.toISOString(), title: STYLES.F(date), class: className });
  node.dataset.style = style;
  write(node);
  return node;
}

function write(node) {
  const text = (STYLES[node.dataset.style] ?? STYLES.f)(new Date(node.dateTime));
  if (node.textContent !== text) node.textContent = text;
}

function tick() {
  for (const node of document.querySelectorAll('time[data-style="R"]')) write(node);
  for (const node of document.querySelectorAll("[data-world-clock]")) node.textContent = STYLES.T(new Date(worldNow()));
}

setInterval(tick, 1000);
