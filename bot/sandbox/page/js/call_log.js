// The log of remote calls: what the bot asked of which service, how it was answered, and how long that took.

import { remove } from "./api.js";
import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";

const MOST = 500;
export const SERVICES = { discord: "Discord", gateway: "Gateway", horde: "Horde", media: "Files", osais: "OSAIS" };

/** The log with its filter. */
export class CallLog {
  constructor() {
    this.calls = [];
    const id = freshId("filter");
    this.filter = h("input", { id, type: "search", placeholder: "Filter: word, job, request or message id", autocomplete: "off", spellcheck: "false" });
    this.service = h("select", { "aria-label": "Service" }, h("option", { value: "" }, "All services"), Object.entries(SERVICES).map(([value, name]) => h("option", { value }, name)));
    this.errors = h("input", { type: "checkbox" });
    this.count = h("span", { class: "count", "aria-live": "off" });
    this.list = h("ol", { class: "calls", tabindex: "0", "aria-label": "Remote calls, newest first" });
    const clear = h("button", { type: "button", class: "button ghost small", onclick: () => this.clear() }, "Clear");
    this.node = h(
      "section",
      { class: "call-log", "aria-label": "Remote calls" },
      h("div", { class: "row" }, h("h3", {}, icon("log"), "Remote calls"), this.count, clear),
      h("label", { class: "hidden-label", for: id }, "Filter the calls"),
      this.filter,
      h("div", { class: "row" }, this.service, h("label", { class: "check" }, this.errors, "only what failed")),
      this.list,
    );
    this.filter.addEventListener("input", () => this.draw());
    this.service.addEventListener("change", () => this.draw());
    this.errors.addEventListener("change", () => this.draw());
    this.draw();
  }

  /** Take in calls that ended, oldest first. */
  add(calls) {
    const known = new Set(this.calls.map((call) => call.number));
    const fresh = calls.filter((call) => !known.has(call.number));
    for (const call of fresh) call.words = JSON.stringify([call.method, call.path, call.remote_id, call.status, call.fault, call.request]).toLowerCase();
    this.calls = [...this.calls, ...fresh].slice(-MOST);
    const shown = fresh.filter((call) => this.fits(call));
    this.list.querySelector(".nothing")?.remove();
    this.list.prepend(...shown.reverse().map((call) => this.row(call)));
    while (this.list.childElementCount > MOST) this.list.lastElementChild.remove();
    this.say();
  }

  /** Show only what has to do with one of these ids. */
  show(ids) {
    this.filter.value = ids.join("|");
    this.draw();
    this.filter.focus();
  }

  async clear() {
    await remove("calls");
    this.calls = [];
    this.draw();
  }

  fits(call) {
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (this.service.value && call.service !== this.service.value) return false;
    if (this.errors.checked && call.status !== null && call.status < 400 && !call.fault) return false;
    // Every word has to be there; of "one|other" one is enough.
    return wanted.every((word) => word.split("|").some((part) => part && call.words.includes(part)));
  }

  draw() {
    const shown = this.calls.filter((call) => this.fits(call)).reverse();
    this.list.replaceChildren(...shown.map((call) => this.row(call)));
    this.say();
  }

  say() {
    const rows = this.list.querySelectorAll(".call").length;
    this.count.textContent = rows === this.calls.length ? `${rows}` : `${rows} of ${this.calls.length}`;
    if (!rows && !this.list.querySelector(".nothing")) {
      this.list.append(h("li", { class: "nothing" }, this.calls.length ? "No call fits the filter." : "No calls yet. Use a command and watch."));
    }
  }

  row(call) {
    const failed = call.status === null || call.status >= 400;
    const [path] = call.path.split("?");
    const id = call.remote_id && h("button", { type: "button", class: "text-button", title: "Show only calls about this", onclick: () => this.show([call.remote_id]) }, call.remote_id);
    const told = call.request && h("pre", { tabindex: "0", "aria-label": "What was sent" }, JSON.stringify(call.request, null, 1));
    return h(
      "li",
      { class: `call ${failed ? "bad" : ""}` },
      h(
        "details",
        {},
        h(
          "summary",
          {},
          h("span", { class: `service ${call.service}` }, SERVICES[call.service] ?? call.service),
          h("span", { class: "method" }, call.method),
          h("span", { class: "path", title: path }, shorten(path)),
          h("span", { class: "status" }, call.status === null ? "cut" : String(call.status)),
          h("span", { class: "took" }, duration(call.duration_ms)),
        ),
        h(
          "div",
          { class: "call-more" },
          h("p", {}, `#${call.number} at ${new Date(call.at).toLocaleTimeString("en")}`, call.fault && h("span", { class: "tag fault" }, `scripted: ${call.fault}`)),
          h("p", { class: "whole-path" }, call.path),
          id && h("p", {}, "about ", id),
          told,
        ),
      ),
    );
  }
}

/** A path without what every path has, and without ids and secrets; the row's details have it whole. */
function shorten(path) {
  return path
    .replace(/^\/(api\/v\d+\/)?/, "")
    .replace(/\/(\d{15,20}|~[0-9a-f]{8})(?=\/|$)/g, "")
    .replace(/([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f-]{27}/g, "$1…");
}

const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
