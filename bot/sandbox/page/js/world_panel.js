// The panel that holds the world's levers: the bot, time, the Horde, and mishaps.

import { act, look, Refused } from "./api.js";
import { CallLog, SERVICES } from "./call_log.js";
import { worldNow, worldRate } from "./clock.js";
import { byId, freshId, h, toast } from "./dom.js";
import { icon } from "./icons.js";
import { MISHAPS, putRight } from "./mishaps.js";
import { store } from "./store.js";

/** The panel; `hear` takes the news of the world. */
export class WorldPanel {
  constructor({ close, reveal }) {
    this.log = new CallLog();
    this.bot = h("div", {});
    this.workers = h("p", { class: "figures" });
    this.armed = h("ul", { class: "armed", "aria-label": "What is arranged" });
    this.faults = [];
    this.plans = {};
    byId("world").append(
      h("header", { class: "side-head" }, h("h2", {}, "World"), h("button", { type: "button", class: "icon-button", "aria-label": "Fold the world away", onclick: close }, icon("close"))),
      h("div", { class: "levers scroll" }, this.botPart(), this.timePart(), this.hordePart(), this.mishapPart()),
      this.log.node,
    );
    store.on("calls", async (message) => {
      reveal();
      this.log.show(await idsOf(message));
    });
  }

  /** Take in news: `bot`, `horde`, `faults` or `calls`. */
  hear(kind, news) {
    if (kind === "bot") this.showBot(news);
    else if (kind === "horde") this.showHorde(news);
    else if (kind === "faults") this.showArmed({ faults: news.armed });
    else if (kind === "calls") this.log.add(news.calls);
  }

  // -- the bot ------------------------------------------------------------------------------------------------------

  botPart() {
    this.kill = h("button", { type: "button", class: "button danger", onclick: () => this.run(this.kill, () => act("bot/kill")) }, "Kill the bot now");
    this.start = h("button", { type: "button", class: "button success", onclick: () => this.run(this.start, () => act("bot/start")) }, "Start the bot");
    this.botText = h("p", { class: "figures" });
    return part("Bot", this.botText, h("div", { class: "row" }, this.kill, this.start), h("p", { class: "fine" }, "A kill is a power cut. Its database stays, so what it was doing goes on after the start."));
  }

  showBot({ present, running, exit_code: code, starts }) {
    this.kill.hidden = this.start.hidden = !present;
    const had = [this.kill, this.start].find((button) => button === document.activeElement);
    this.kill.disabled = !running;
    this.start.disabled = running;
    if (had?.disabled) (running ? this.kill : this.start).focus();
    const how = code === null ? "" : code < 0 ? ` (signal ${-code})` : ` (exit code ${code})`;
    const state = running ? `running, start ${starts}` : `not running${how}`;
    this.botText.replaceChildren(h("span", { class: `lamp ${running ? "on" : "off"}`, hidden: !present }), present ? state : "It runs elsewhere, if at all.");
    const elsewhere = byId("bot-state");
    elsewhere.hidden = !present || running;
    elsewhere.textContent = present && !running ? "The bot is not running" : "";
  }

  // -- time ---------------------------------------------------------------------------------------------------------

  timePart() {
    const forward = (label, seconds) => {
      const button = h("button", { type: "button", class: "button secondary small", onclick: () => this.run(button, () => this.advance(seconds)) }, label);
      return button;
    };
    const clock = h("p", { class: "figures" }, h("span", { class: "world-time", "data-world-clock": true }, new Date(worldNow()).toLocaleTimeString("en")), h("span", { class: "rate" }, worldRate() === 1 ? "world time" : `world time, ${worldRate()} times as fast`));
    return part("Time", clock, h("div", { class: "row" }, forward("+1 minute", 60), forward("+15 minutes", 900), forward("+1 day", 86400)), h("p", { class: "fine" }, "After 15 minutes Discord's tokens are dead, and the bot has to find its messages another way."));
  }

  async advance(seconds) {
    await act("clock", { advance: seconds });
    await store.sync();
  }

  // -- the Horde ----------------------------------------------------------------------------------------------------

  hordePart() {
    const set = (route, name, numeric) => (value) => act(`horde/${route}`, { [name]: numeric(value) });
    this.queue = this.slider("Others waiting", { min: 0, max: 60, step: 1 }, set("queue", "length", Number));
    this.count = this.slider("Workers", { min: 0, max: 30, step: 1 }, set("workers", "count", Number));
    this.speed = this.slider("Worker speed", { min: -2, max: 6, step: 1 }, set("workers", "speed", (value) => 2 ** value), (value) => `${2 ** value}×`);
    return part("AI Horde", this.workers, this.queue.node, this.count.node, this.speed.node);
  }

  slider(label, range, set, word = String) {
    const id = freshId("slider");
    const input = h("input", { type: "range", id, ...range });
    const output = h("output", { for: id });
    const show = () => {
      output.textContent = word(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", show);
    input.addEventListener("change", () => this.run(null, () => set(Number(input.value))));
    const node = h("div", { class: "slider" }, h("label", { for: id }, label), output, input);
    const take = (value) => {
      if (document.activeElement === input && input.matches(":active")) return;
      input.value = value;
      show();
    };
    return { node, take };
  }

  showHorde(news) {
    const waiting = `${news.waiting} in the queue`;
    const workers = `${news.busy} of ${news.online} workers busy`;
    this.workers.replaceChildren(h("span", { class: `lamp ${news.maintenance || !news.online ? "off" : "on"}` }), news.maintenance ? "in maintenance" : `${waiting} · ${workers}`);
    this.queue.take(news.background);
    this.count.take(news.workers);
    this.speed.take(Math.round(Math.log2(news.speed)));
    this.showArmed({ plans: news.plans });
  }

  // -- mishaps ------------------------------------------------------------------------------------------------------

  mishapPart() {
    const buttons = MISHAPS.map((mishap) => {
      const button = h("button", { type: "button", class: "button secondary small", title: mishap.about, onclick: () => this.run(button, mishap.arrange, mishap.said) }, mishap.label);
      return button;
    });
    this.clear = h("button", { type: "button", class: "button ghost small", hidden: true, onclick: () => this.run(this.clear, putRight) }, "Put everything right");
    return part("Mishaps", h("div", { class: "mishaps" }, buttons), this.armed, this.clear);
  }

  showArmed({ faults = this.faults, plans = this.plans }) {
    Object.assign(this, { faults, plans });
    const words = { fault: "worker fault", silence: "silent worker", censor: "censored picture", "dead-links": "dead link" };
    const rows = [
      ...faults.map((one) => [inWords(one), one.times === null ? "until undone" : `${one.times - one.met} left`]),
      ...Object.entries(plans).filter(([, count]) => count > 0).map(([name, count]) => [words[name] ?? name, `${count} left`]),
    ];
    this.armed.replaceChildren(...rows.map(([what, left]) => h("li", {}, h("span", {}, what), h("span", { class: "tag" }, left))));
    this.clear.hidden = !rows.length;
  }

  /** Do something, with the button busy meanwhile, and say it if the world refuses. */
  async run(button, deed, said = null) {
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
}

/** Return the ids of a message and of the Horde's requests and pictures that ended in it, known by their bytes. */
async function idsOf(message) {
  const shown = new Set(message.files.map((file) => file.sha256));
  const { requests = [] } = await look("horde/state").catch(() => ({}));
  const painted = requests.filter((request) => request.jobs.some((job) => shown.has(job.sha256)));
  return [message.id, ...painted.flatMap((request) => [request.id, ...request.jobs.map((job) => job.id)])];
}

function inWords({ service, method, path, action, status, delay }) {
  const where = [SERVICES[service] ?? service, method, path].filter(Boolean).join(" ");
  const what = action === "respond" ? status : action !== "pass" && action.replace("_", " ");
  return `${where}: ${[what, delay ? `${delay} s late` : null].filter(Boolean).join(", ")}`;
}

function part(title, ...content) {
  const id = freshId("part");
  return h("section", { class: "part", "aria-labelledby": id }, h("h3", { id }, title), content);
}
