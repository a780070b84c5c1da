// Channels, the direct message, and who one is.

import { avatar } from "./avatar.js";
import { byId, h, keepFocus } from "./dom.js";
import { icon } from "./icons.js";
import { store } from "./store.js";

/** Draw the sidebar and keep it up to date; `onChosen` is called when somebody went somewhere. */
export function setUpSidebar(onChosen) {
  const draw = () => {
    keepFocus(byId("channels"), () => byId("channels").replaceChildren(...store.state.guilds.map(guildPart), directPart()));
    keepFocus(byId("people"), () => byId("people").replaceChildren(...peoplePart()));
  };
  const go = (way) => {
    onChosen();
    return way();
  };
  store.on("place unread", draw);

  function guildPart(guild) {
    const id = `guild-${guild.id}`;
    return h("section", { "aria-labelledby": id }, h("h2", { id }, guild.name), h("ul", {}, guild.channels.map(channelItem)));
  }

  function channelItem(channel) {
    return item({
      key: channel.id,
      symbol: channel.nsfw ? icon("lock") : icon("hash"),
      name: channel.name,
      note: channel.nsfw ? "18+" : null,
      noteTitle: "Age-restricted",
      here: channel.id === store.channelId,
      unread: store.unread.has(channel.id),
      choose: () => go(() => store.chooseChannel(channel.id)),
    });
  }

  function directPart() {
    const open = store.dm && store.dm.id === store.channelId;
    const row = item({
      key: "dm",
      symbol: avatar(store.bot ?? { bot: true }),
      name: store.bot?.name ?? "Bot",
      note: "App",
      here: open,
      unread: store.dm && store.unread.has(store.dm.id),
      choose: () => go(() => store.openDm()),
    });
    return h("section", { "aria-labelledby": "direct" }, h("h2", { id: "direct" }, "Direct messages"), h("ul", {}, row));
  }

  function peoplePart() {
    const choices = store.people.map((person) =>
      h(
        "button",
        {
          type: "button",
          class: "person",
          role: "radio",
          "aria-checked": String(person.id === store.meId),
          tabindex: person.id === store.meId ? "0" : "-1",
          dataset: { key: person.id, person: person.name },
          title: store.moderates(person) ? `${person.name} may moderate` : person.name,
          onclick: () => store.choosePerson(person.id),
        },
        avatar(person),
        h("span", {}, person.name),
        store.moderates(person) && h("small", {}, "moderator"),
      ),
    );
    const group = h("div", { class: "person-row", role: "radiogroup", "aria-labelledby": "people-title" }, choices);
    group.addEventListener("keydown", (event) => moveRadio(event, choices));
    return [h("h2", { id: "people-title" }, "You are"), group];
  }
}

function item({ key, symbol, name, note, noteTitle, here, unread, choose }) {
  const button = h(
    "button",
    { type: "button", class: "place", "aria-current": here ? "page" : null, dataset: { key }, onclick: choose },
    symbol,
    h("span", { class: "place-name" }, name),
    note && h("span", { class: "tag", title: noteTitle }, note),
    unread && h("span", { class: "dot", role: "img", "aria-label": "new messages" }),
  );
  return h("li", { class: unread ? "unread" : null }, button);
}

function moveRadio(event, choices) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = choices.indexOf(document.activeElement);
  const next = choices[(at + step + choices.length) % choices.length];
  next.focus();
  next.click();
}
