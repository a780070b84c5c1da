// The services' parts of the world's panel: what each is doing, and what can be changed of it.

import { act, look } from "./api.js";
import { freshId, h } from "./dom.js";
import { foldable } from "./fold.js";
import { lamp, lever, SPEED, slider, speedOf, speedWord, toggle, valueOf } from "./levers.js";

const line = (...content) => h("span", { class: "figures" }, content);

/** The AI Horde: pictures, texts, alchemy. `take(news)` shows how things are. */
export function hordePart() {
  const set = (route, name) => (value) => act(`horde/${route}`, { [name]: value });
  const queue = slider("Other people's pictures", { min: 0, max: 60 }, set("queue", "length"));
  const count = slider("Workers", { min: 0, max: 30 }, set("workers", "count"));
  const speed = slider("Worker speed", SPEED, (value) => act("horde/workers", { speed: speedOf(value) }), speedWord);
  const texts = slider("Other people's texts", { min: 0, max: 40 }, set("text", "queue"));
  const writers = toggle("writers take nothing", set("text", "paused"));
  const alchemists = slider("Alchemists", { min: 0, max: 12 }, set("alchemists", "count"));
  const idle = toggle("alchemists take nothing", set("alchemists", "paused"));
  const painting = line();
  const writing = line();
  const brewing = line();
  const node = foldable(
    { name: "horde", title: "AI Horde", aside: painting, folded: true },
    queue.node,
    count.node,
    speed.node,
    h("h4", {}, "Texts ", writing),
    texts.node,
    writers.node,
    h("h4", {}, "Alchemy ", brewing),
    alchemists.node,
    idle.node,
  );

  function take({ text, alchemy, ...news }) {
    painting.replaceChildren(lamp(!news.maintenance && news.online), news.maintenance ? "in maintenance" : `${news.waiting} waiting · ${news.busy} of ${news.online} busy`);
    queue.take(news.background);
    count.take(news.workers);
    speed.take(valueOf(news.speed));
    writing.textContent = `${text.waiting} waiting · ${text.busy} of ${text.online} busy`;
    texts.take(text.background);
    writers.take(text.paused);
    brewing.textContent = `${alchemy.waiting} forms waiting · ${alchemy.busy} of ${alchemy.online} busy`;
    alchemists.take(alchemy.alchemists);
    idle.take(alchemy.paused);
  }
  return { node, take };
}

/** OSAIS: its speed, where it stops, and how the next request goes. */
export function osaisPart() {
  const speed = slider("Engine speed", SPEED, (value) => act("osais/speed", { speed: speedOf(value) }), speedWord);
  const figures = line();
  const story = h("p", { class: "fine" });
  const release = lever("Let them go on", () => act("osais/release"));
  const id = freshId("scenario");
  const scenario = h("select", { id });
  const arrange = lever("Arrange", () => act("osais/scenario", { names: [scenario.value] }));
  scenario.addEventListener("change", () => (story.textContent = scenario.selectedOptions[0]?.title ?? ""));
  const node = foldable(
    { name: "osais", title: "OSAIS", aside: figures, folded: true },
    speed.node,
    h("div", { class: "row" }, lever("Stop while at work", () => act("osais/hold", { stage: 3 })), release),
    h("label", { for: id, class: "fine" }, "The next request goes like this"),
    h("div", { class: "row nowrap" }, scenario, arrange),
    story,
  );
  node.hidden = true;

  async function take(news) {
    node.hidden = false;
    const held = news.held_after !== null;
    figures.replaceChildren(lamp(!held), held ? "stopped" : `${news.running} running · ${news.ended} done`);
    release.disabled = !held;
    speed.take(valueOf(news.speed));
    if (scenario.options.length) return;
    const scenarios = Object.entries(await look("osais/scenarios"));
    scenario.replaceChildren(...scenarios.map(([value, title]) => h("option", { value, title }, value)));
    story.textContent = scenarios[0]?.[1] ?? "";
  }
  return { node, take };
}
