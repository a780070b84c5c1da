// The log of remote calls: what the bot asked of which service, how it was answered, and how long that took.

import { remove } from "./api.js";
import { freshId, h, keepFocus } from "./dom.js";
import { foldable } from "./fold.js";

const MOST = 500;
export const SERVICES = { discord: "Discord", gateway: "Gateway", horde: "Horde", media: "Files", osais: "OSAIS" };

/** The log with its filter. */
export class CallLog {
  constructor() {
    this.calls = new Map();
    this.sought = null;
    const id = freshId("filter");
    this.filter = h("input", { id, type: "search", placeholder: "Filter: word, job, request or message id", autocomplete: "off", spellcheck: "false" });
    this.service = h("select", { "aria-label": "Service" }, h("option", { value: "" }, "All services"), Object.entries(SERVICES).map(([value, name]) => h("option", { value }, name)));
    this.errors = h("input", { type: "checkbox" });
    this.count = h("span", { class: "count", "aria-live": "off" });
    this.list = h("ol", { class: "calls", tabindex: "0", "aria-label": "Remote calls, newest first" });
    const clear = h("button", { type: "button", class: "button ghost small", onclick: () => this.clear() }, "Clear");
    this.node = foldable(
      { name: "calls", title: "Remote calls", aside: h("span", { class: "row grow" }, this.count, clear), className: "call-log" },
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

  /** Take in calls, oldest first: new ones, and ones that are known by now to be a job's. */
  add(calls) {
    const shown = new Map();
    for (const call of calls) {
      const { method, path, remote_id, status, fault, request, job } = call;
      call.words = JSON.stringify([method, path, remote_id, status, fault, request, `job:${job}`]).toLowerCase();
      const old = this.calls.has(call.number) && this.list.querySelector(`[data-number="${call.number}"]`);
      this.calls.set(call.number, call);
      if (old) this.replace(old, call);
      else if (this.fits(call)) shown.set(call.number, call);
    }
    for (const number of [...this.calls.keys()].slice(0, -MOST)) this.calls.delete(number);
    this.list.querySelector(".nothing")?.remove();
    this.list.prepend(...[...shown.values()].reverse().map((call) => this.row(call)));
    while (this.list.childElementCount > MOST) this.list.lastElementChild.remove();
    this.say();
    // A message may be faster than the call that it came by.
    if (this.sought && this.filter.value === this.sought.id) this.showMessage(this.sought);
  }

  replace(old, call) {
    keepFocus(this.list, () => {
      const row = this.row(call);
      row.querySelector("details").open = old.querySelector("details").open;
      old.replaceWith(row);
    });
  }

  /** Show only what was done for a message: for its job where that is known, else what was about it. */
  showMessage(message) {
    const names = [`message:${message.id}`, `interaction:${message.interaction_id}`];
    const about = [...this.calls.values()].filter((call) => call.about.some((name) => names.includes(name)));
    const job = about.findLast((call) => call.job)?.job;
    this.sought = job ? null : message;
    this.show(job ? `job:${job}` : message.id);
  }

  /** Show only what has a word in it. */
  show(word) {
    this.node.unfold();
    if (this.filter.value !== word) this.filter.focus();
    this.filter.value = word;
    this.draw();
  }

  async clear() {
    await remove("calls");
    this.calls.clear();
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
    const shown = [...this.calls.values()].filter((call) => this.fits(call)).reverse();
    this.list.replaceChildren(...shown.map((call) => this.row(call)));
    this.say();
  }

  say() {
    const rows = this.list.querySelectorAll(".call").length;
    const { size } = this.calls;
    this.count.textContent = rows === size ? `${rows}` : `${rows} of ${size}`;
    if (!rows && !this.list.querySelector(".nothing")) {
      this.list.append(h("li", { class: "nothing" }, size ? "No call fits the filter." : "No calls yet. Use a command and watch."));
    }
  }

  row(call) {
    const failed = call.status === null || call.status >= 400;
    const [path] = call.path.split("?");
    const only = (word, label) => word && h("button", { type: "button", class: "text-button", title: "Show only these", dataset: { key: `${call.number}/${word}` }, onclick: () => this.show(word) }, label);
    const id = only(call.remote_id, call.remote_id);
    const job = only(call.job && `job:${call.job}`, call.job);
    const told = call.request && h("pre", { tabindex: "0", "aria-label": "What was sent" }, JSON.stringify(call.request, null, 1));
    // Kept of the calls that services make: the acknowledgement.
    const answered = call.answer && h("pre", { tabindex: "0", "aria-label": "How it was answered" }, JSON.stringify(call.answer, null, 1));
    return h(
      "li",
      { class: `call ${failed ? "bad" : ""}`, dataset: { number: call.number } },
      h(
        "details",
        {},
        h(
          "summary",
          { dataset: { key: `${call.number}/summary` } },
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
          job && h("p", {}, "for the job ", job),
          told,
          answered && h("p", {}, "answered with"),
          answered,
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
