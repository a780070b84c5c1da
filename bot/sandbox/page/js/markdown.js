// Discord's markdown by blocks: fences, quotes, lists, headings, small print. Inline marks are in markdown_inline.js.

import { h } from "./dom.js";
import { inline } from "./markdown_inline.js";

const FENCE = /```(?:([A-Za-z0-9+#_.-]+)\n)?\n?([^]*?)\n?```/g;
const ITEM = /^( *)(?:[-*]|(\d{1,9})\.) +(.*)$/;

/** Return the nodes of a text. */
export function markdown(text, names) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(FENCE)) {
    if (!found[2].trim()) continue;
    nodes.push(...blocks(text.slice(at, found.index).replace(/\n$/, ""), names), fence(found));
    at = found.index + found[0].length;
    if (text[at] === "\n") at += 1;
  }
  return [...nodes, ...blocks(text.slice(at), names)];
}

function fence([, language, code]) {
  return h("pre", { tabindex: "0", "aria-label": language ? `Code, ${language}` : "Code" }, h("code", {}, code));
}

function blocks(text, names) {
  if (!text) return [];
  const lines = text.split("\n");
  const nodes = [];
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) nodes.push(h("p", {}, inline(paragraph.join("\n"), names)));
    paragraph = [];
  };
  while (lines.length) {
    const block = takeBlock(lines, names);
    if (block) {
      flush();
      nodes.push(block);
    } else paragraph.push(lines.shift());
  }
  flush();
  return nodes;
}

/** Take one block off the front of the lines, or return null if they begin with plain text. */
function takeBlock(lines, names) {
  const line = lines[0];
  if (/^>>> /.test(line)) return h("blockquote", {}, blocks(lines.splice(0).join("\n").slice(4), names));
  if (/^> ?/.test(line) && line.startsWith("> ")) {
    const quoted = takeWhile(lines, (one) => one.startsWith("> ")).map((one) => one.slice(2));
    return h("blockquote", {}, blocks(quoted.join("\n"), names));
  }
  const heading = /^(#{1,3}) +(\S.*)$/.exec(line);
  if (heading) {
    lines.shift();
    // Looks like a heading, but the page's outline is its own.
    return h("div", { class: `heading h${heading[1].length}` }, inline(heading[2], names));
  }
  if (/^-# +\S/.test(line)) {
    lines.shift();
    return h("small", { class: "small-print" }, inline(line.replace(/^-# +/, ""), names));
  }
  if (ITEM.test(line)) return list(takeWhile(lines, (one) => ITEM.test(one)), names);
  return null;
}

function takeWhile(lines, wanted) {
  const end = lines.findIndex((line) => !wanted(line));
  return lines.splice(0, end === -1 ? lines.length : end);
}

function list(lines, names) {
  const items = lines.map((line) => {
    const [, indent, number, text] = ITEM.exec(line);
    return { depth: Math.floor(indent.length / 2), number, text };
  });
  return listAt(items, items[0].depth, names);
}

function listAt(items, depth, names) {
  const [first] = items;
  const node = first.number ? h("ol", { start: first.number }) : h("ul");
  while (items.length && items[0].depth >= depth) {
    if (items[0].depth > depth && node.lastElementChild) node.lastElementChild.append(listAt(items, items[0].depth, names));
    else node.append(h("li", {}, inline(items.shift().text, names)));
  }
  return node;
}
