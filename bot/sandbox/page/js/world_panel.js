// The panel that holds the world's levers: the bot, time, mishaps, the services, and the log of remote calls.

import { act } from "./api.js";
import { CallLog, SERVICES } from "./call_log.js";
import { worldNow, worldRate } from "./clock.js";
import { byId, h } from "./dom.js";
import { foldable } from "./fold.js";
import { icon } from "./icons.js";
import { lamp, lever, run } from "./levers.js";
import { MISHAPS, PLANS, putRight } from "./mishaps.js";
import { hordePart, osaisPart } from "./service_parts.js";
import { store } from "./store.js";

/** The panel; `hear` takes the news of the world. */
export class WorldPanel {
  constructor({ close, reveal }) {
    this.log = new CallLog();
    this.horde = hordePart();
    this.osais = osaisPart();
    this.faults = [];
    this.plans = {};
    byId("world").append(
      h("header", { class: "side-head" }, h("h2", {}, "World"), h("button", { type: "button", class: "icon-button", "aria-label": "Fold the world away", onclick: close }, icon("close"))),
      h("div", { class: "levers scroll" }, this.botPart(), this.timePart(), this.mishapPart(), this.horde.node, this.osais.node),
      this.log.node,
    );
    store.on("calls", (message) => {
      reveal();
      this.log.showMessage(message);
    });
  }

  /** Take in news: `bot`, `horde`, `osais`, `faults` or `calls`. */
  hear(kind, news) {
    if (kind === "bot") this.showBot(news);
    else if (kind === "horde") {
      this.horde.take(news);
      this.showArmed({ plans: news.plans });
    } else if (kind === "osais") this.osais.take(news);
    else if (kind === "faults") this.showArmed({ faults: news.armed });
    else if (kind === "calls") this.log.add(news.calls);
  }

  // -- the bot ------------------------------------------------------------------------------------------------------

  botPart() {
    this.kill = lever("Kill the bot now", () => act("bot/kill"), { kind: "danger" });
    this.start = lever("Start the bot", () => act("bot/start"), { kind: "success" });
    this.botText = h("span", { class: "figures" });
    return foldable(
      { name: "bot", title: "Bot", aside: this.botText },
      h("div", { class: "row" }, this.kill, this.start),
      h("p", { class: "fine" }, "A power cut; open jobs go on after the start."),
    );
  }

  showBot({ present, running, exit_code: code, starts }) {
    this.kill.hidden = this.start.hidden = !present;
    const had = [this.kill, this.start].find((button) => button === document.activeElement);
    this.kill.disabled = !running;
    this.start.disabled = running;
    if (had?.disabled) (running ? this.kill : this.start).focus();
    const how = code === null ? "" : code < 0 ? ` (signal ${-code})` : ` (exit code ${code})`;
    const state = running ? `running, start ${starts}` : `not running${how}`;
    this.botText.replaceChildren(...(present ? [lamp(running), state] : ["runs elsewhere, if at all"]));
    const elsewhere = byId("bot-state");
    elsewhere.hidden = !present || running;
    elsewhere.textContent = present && !running ? "The bot is not running" : "";
    if (this.ran && !running) store.tell("killed");
    this.ran = running;
  }

  // -- time ---------------------------------------------------------------------------------------------------------

  timePart() {
    const forward = (label, seconds) => lever(label, () => this.advance(seconds));
    const time = h("span", { class: "world-time", "data-world-clock": true }, new Date(worldNow()).toLocaleTimeString("en"));
    const rate = worldRate() === 1 ? null : h("span", {}, `${worldRate()} times as fast`);
    return foldable(
      { name: "time", title: "Time", aside: h("span", { class: "figures" }, time, rate) },
      h("div", { class: "row" }, forward("+1 minute", 60), forward("+15 minutes", 900), forward("+1 day", 86400)),
      h("p", { class: "fine" }, "After 15 minutes Discord's tokens are dead."),
    );
  }

  async advance(seconds) {
    await act("clock", { advance: seconds });
    await store.sync();
  }

  // -- mishaps ------------------------------------------------------------------------------------------------------

  mishapPart() {
    const buttons = MISHAPS.map((mishap) => lever(mishap.label, mishap.arrange, { said: mishap.said, title: mishap.about }));
    this.armed = h("ul", { class: "armed", "aria-label": "What is arranged" });
    this.clear = h("button", { type: "button", class: "button ghost small", hidden: true, onclick: () => run(this.clear, putRight) }, "Put everything right");
    return foldable({ name: "mishaps", title: "Mishaps", aside: this.clear }, this.armed, h("div", { class: "mishaps" }, buttons));
  }

  showArmed({ faults = this.faults, plans = this.plans }) {
    Object.assign(this, { faults, plans });
    const rows = [
      ...faults.map((one) => [inWords(one), one.times === null ? "until undone" : `${one.times - one.met} left`]),
      ...Object.entries(plans).filter(([, count]) => count > 0).map(([name, count]) => [PLANS[name] ?? name, `${count} left`]),
    ];
    this.armed.replaceChildren(...rows.map(([what, left]) => h("li", {}, h("span", {}, what), h("span", { class: "tag" }, left))));
    this.clear.hidden = !rows.length;
  }
}

function inWords({ service, method, path, action, status, delay }) {
  const where = [SERVICES[service] ?? service, method, path].filter(Boolean).join(" ");
  const what = action === "respond" ? status : action !== "pass" && action.replace("_", " ");
  return `${where}: ${[what, delay ? `${delay} s late` : null].filter(Boolean).join(", ")}`;
}
