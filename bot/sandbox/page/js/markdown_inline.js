// Discord's inline markdown: from text to nodes. Everything that is not a known form stays the text it is.

import { timeNode } from "./clock.js";
import { h, webUrl } from "./dom.js";
import { icon } from "./icons.js";

const MASKED = /^\[((?:\\.|[^[\]\\]|\[[^[\]]*\])+)\]\(<?(https?:\/\/[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\)/;

// Tried in this order at each place; `inner` is what is between the marks and may hold more markdown.
const FORMS = [
  { find: /^\\([^A-Za-z0-9\s])/, make: (found) => found[1] },
  { find: /^(`+)([^]*?[^`])\1(?!`)/, make: (found) => h("code", {}, found[2].replace(/^ (.*) $/s, "$1")) },
  { find: /^\|\|([^]+?)\|\|/, make: (found, names) => spoiler(inline(found[1], names)) },
  { find: /^\*\*\*([^]+?)\*\*\*(?!\*)/, make: (found, names) => h("em", {}, h("strong", {}, inline(found[1], names))) },
  { find: /^\*\*([^]+?)\*\*(?!\*)/, make: (found, names) => h("strong", {}, inline(found[1], names)) },
  { find: /^__([^]+?)__(?!_)/, make: (found, names) => h("u", {}, inline(found[1], names)) },
  { find: /^~~([^]+?)~~/, make: (found, names) => h("s", {}, inline(found[1], names)) },
  { find: /^\*(?=\S)([^]*?[^\s*])\*(?!\*)/, make: (found, names) => h("em", {}, inline(found[1], names)) },
  { find: /^_([^_]+?)_(?![A-Za-z0-9_])/, word: true, make: (found, names) => h("em", {}, inline(found[1], names)) },
  { find: /^<@!?(\d+)>/, make: (found, names) => mention(`@${names.user(found[1]) ?? "unknown-user"}`) },
  { find: /^<@&(\d+)>/, make: (found, names) => mention(`@${names.role?.(found[1]) ?? "role"}`) },
  { find: /^<#(\d+)>/, make: (found, names) => mention(`#${names.channel(found[1]) ?? "unknown"}`) },
  { find: /^<\/([^:>\n]{1,100}):(\d+)>/, make: (found, names) => command(found[1], names) },
  { find: /^<t:(-?\d{1,13})(?::([tTdDfFRsS]))?>/, make: (found) => timeNode(Number(found[1]) * 1000, found[2] ?? "f") },
  { find: /^<a?:(\w{2,32}):\d+>/, make: (found) => `:${found[1]}:` },
  { find: MASKED, make: (found, names) => link(found[2], inline(found[1], names)) },
  { find: /^<(https?:\/\/[^\s<>]+)>/, make: (found) => link(found[1], [found[1]]) },
  { find: /^https?:\/\/[^\s<>]*[^\s<>.,:;"')\]}!?]/, word: true, make: (found) => link(found[0], [found[0]]) },
  { find: /^@(everyone|here)\b/, make: (found) => mention(found[0]) },
];

const SPECIAL = /[\\`|*_~<[@h]/g;

/** Return the nodes of one run of text; `names` resolves mentions and takes in uses of commands. */
export function inline(text, names) {
  const nodes = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const made = formAt(text, at, names);
    if (made) {
      if (typeof made.node === "string") plain += made.node;
      else {
        if (plain) nodes.push(plain);
        plain = "";
        nodes.push(made.node);
      }
      at += made.length;
    } else {
      const end = nextSpecial(text, at + 1);
      plain += text.slice(at, end);
      at = end;
    }
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function nextSpecial(text, from) {
  SPECIAL.lastIndex = from;
  return SPECIAL.exec(text)?.index ?? text.length;
}

function formAt(text, at, names) {
  const rest = text.slice(at);
  for (const form of FORMS) {
    // `snake_case_names` and the middle of a word are neither italic nor a link.
    if (form.word && at > 0 && /[A-Za-z0-9_]/.test(text[at - 1])) continue;
    const found = form.find.exec(rest);
    if (found) return { node: form.make(found, names), length: found[0].length };
  }
  return null;
}

const mention = (text) => h("span", { class: "mention" }, text);

function command(name, names) {
  return h("button", { class: "mention", type: "button", onclick: () => names.useCommand?.(name) }, `/${name}`);
}

function spoiler(content) {
  const cover = h("button", { class: "spoiler", type: "button", "aria-label": "Spoiler, press to show" });
  const words = h("span", { inert: true }, content);
  cover.append(words);
  cover.addEventListener("click", () => {
    const open = h("span", { class: "spoiler open" }, [...words.childNodes]);
    cover.replaceWith(open);
  });
  return cover;
}

/** A link never opens at once: what it says and where it leads may differ. */
function link(address, content) {
  const url = webUrl(address);
  if (!url) return h("span", {}, content);
  const opened = (event) => {
    event.preventDefault();
    warn(url);
  };
  return h("a", { href: url, title: url, rel: "noopener noreferrer", target: "_blank", onclick: opened }, content);
}

/** Ask before leaving for an address that somebody wrote. */
export function warn(url) {
  const box = h("dialog", { class: "box small", "aria-label": "Leaving the playground", onclose: () => box.remove() });
  const leave = h("a", { class: "button primary", href: url, target: "_blank", rel: "noopener noreferrer" }, "Visit site");
  leave.addEventListener("click", () => box.close());
  box.append(
    h("h2", {}, icon("globe"), "Leaving the playground"),
    h("p", {}, "This link leads to"),
    h("p", { class: "address" }, url),
    h("div", { class: "row end" }, h("button", { class: "button", type: "button", onclick: () => box.close() }, "Stay"), leave),
  );
  document.body.append(box);
  box.showModal();
}
