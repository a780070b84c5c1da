// Makes elements. Text is always put in as text nodes; nothing on this page is ever parsed as markup.

/** Return an element: `on…` props are listeners, `dataset` an object, everything else an attribute. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(node.dataset, value);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** Return the element with this id; it is in index.html. */
export const byId = (id) => document.getElementById(id);

let counter = 0;

/** Return an id that no other element has. */
export const freshId = (prefix) => `${prefix}-${(counter += 1)}`;

/** Return an address as one of this server if it is, else null: the page loads nothing from anywhere else. */
export function localUrl(address) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return null;
  }
  // The simulators name themselves 127.0.0.1; somebody may have come by the name of localhost.
  const loopback = ["127.0.0.1", "localhost", "[::1]"];
  const ours = url.origin === location.origin || (loopback.includes(url.hostname) && url.port === location.port);
  return ours && url.protocol.startsWith("http") ? url.pathname + url.search : null;
}

/** Return an address that may stand behind a link, else null. */
export function webUrl(address) {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Draw something anew and give the focus back to what has the same key. */
export function keepFocus(place, draw) {
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  draw();
  if (key) [...place.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus({ preventScroll: true });
}

/** Say something for a moment at the edge of the page. */
export function toast(text, { kind = "info" } = {}) {
  const note = h("div", { class: `toast ${kind}` }, text);
  byId("toasts").replaceChildren(note);
  setTimeout(() => note.remove(), 5000);
}

// What is remembered while storage is forbidden, as in some private windows.
const fallback = new Map();

/** Read a setting of an earlier visit, or null. */
export function remembered(name) {
  try {
    return localStorage.getItem(`muster.${name}`) ?? fallback.get(name) ?? null;
  } catch {
    return fallback.get(name) ?? null;
  }
}

/** Keep a setting for the next visit, or at least until the page is left. */
export function remember(name, value) {
  fallback.set(name, value);
  try {
    localStorage.setItem(`muster.${name}`, value);
  } catch {
    // It is in `fallback`.
  }
}
