// The playground: puts its parts together and keeps them in step with the world.

import { Refused } from "./api.js";
import { Composer } from "./composer.js";
import { setClock } from "./clock.js";
import { byId, toast } from "./dom.js";
import { setUpDrawers } from "./drawers.js";
import { setUpHint } from "./hint.js";
import { icon } from "./icons.js";
import { Live } from "./live.js";
import { setUpMessages } from "./messages.js";
import { setUpSidebar } from "./sidebar.js";
import { names, store } from "./store.js";
import { setUpTheme } from "./theme.js";
import { WorldPanel } from "./world_panel.js";

setUpTheme();
const drawers = setUpDrawers();
const composer = new Composer();
const world = new WorldPanel({ close: () => drawers.closeWorld(), reveal: () => drawers.openWorld() });
names.useCommand = (name) => composer.useCommand(name);
setUpSidebar(() => drawers.closePlaces());
setUpMessages({ openPicker: () => composer.openPicker() });
setUpHint(byId("composer"), {
  command: ({ command, options }) => composer.useCommand(command, options),
  kill: () => {
    drawers.openWorld();
    world.kill.focus();
  },
  person: () => {
    drawers.openPlaces();
    document.querySelector('.person[aria-checked="false"]')?.focus();
  },
});

store.on("place", () => {
  const { channel } = store;
  const direct = channel && !channel.guild_id;
  const name = direct ? store.bot?.name ?? "Bot" : channel?.name ?? "";
  byId("title").replaceChildren(icon(direct ? "at" : channel?.nsfw ? "lock" : "hash"), name);
  document.title = `${direct ? "@" : "#"}${name} · Muster Playground`;
});

// What the world refuses, wherever that was asked for and not expected, is said and is no error of the page's.
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof Refused)) return;
  event.preventDefault();
  toast(event.reason.message, { kind: "error" });
});

// One thing after the other: what is heard while everything is read anew is taken in afterwards.
let turn = Promise.resolve();
const inTurn = (deed) => {
  turn = turn.then(deed).catch((error) => {
    // Without a connection everything is read anew once it is back.
    if (!(error instanceof Refused)) reportError(error);
  });
};

new Live({
  onLink: (up) => {
    byId("offline").hidden = up;
    document.documentElement.dataset.link = up ? "up" : "down";
    if (up) inTurn(() => store.sync());
  },
  onNews: (kind, news) => {
    if (kind === "discord") inTurn(() => store.heard(news.event));
    else if (kind === "clock") setClock(news);
    else if (kind === "commands") inTurn(() => store.syncState());
    else world.hear(kind, news);
  },
});
