// What the page knows: the world as the person chosen sees it. It tells of changes with events:
//   "place"    another channel or person was chosen, or the lists of them changed
//   "messages" the channel's messages are all new
//   "message"  one message is new or different (detail: it)
//   "gone"     one message is gone (detail: its id)
//   "acts"     what is on its way or failed in the channel changed
//   "unread"   another channel has news
//   "sent"     the person wrote something or used a command
//   "killed"   the bot, which ran before, does not run any more
// and passes on what people want of other parts of the page: "reply" and "calls" (a message).

import { act, look, Refused } from "./api.js";
import { setClock } from "./clock.js";
import { remember, remembered } from "./dom.js";

export const CHAT_INPUT = 1;
export const USER_MENU = 2;
export const MESSAGE_MENU = 3;

class Store extends EventTarget {
  constructor() {
    super();
    this.state = { guilds: [], dms: [], users: [], commands: [] };
    this.meId = null;
    this.channelId = null;
    this.messages = new Map();
    this.interactions = new Map();
    this.unread = new Set();
    this.acts = [];
    this.fetching = new Map();
    // Counts whenever what is shown becomes another: what was asked for before is nobody's business any more.
    this.view = 0;
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  on(types, listener) {
    for (const type of types.split(" ")) this.addEventListener(type, (event) => listener(event.detail));
  }

  // -- who and where ------------------------------------------------------------------------------------------------

  get me() {
    return this.user(this.meId);
  }

  get people() {
    const members = this.state.users.filter((user) => !user.bot);
    const owners = new Set(this.state.guilds.map((guild) => guild.owner_id));
    return [...members.filter((one) => !owners.has(one.id)), ...members.filter((one) => owners.has(one.id))];
  }

  get bot() {
    return this.user(this.state.bot_user_id);
  }

  get channel() {
    return this.anyChannel(this.channelId);
  }

  get guild() {
    return this.state.guilds.find((guild) => guild.id === this.channel?.guild_id) ?? null;
  }

  get dm() {
    return this.state.dms.find((channel) => channel.user_id === this.meId) ?? null;
  }

  user(id) {
    return this.state.users.find((user) => user.id === id) ?? null;
  }

  userNamed(name) {
    return this.state.users.find((user) => user.name.toLowerCase() === name.toLowerCase()) ?? null;
  }

  anyChannel(id) {
    const everywhere = [...this.state.guilds.flatMap((guild) => guild.channels), ...this.state.dms];
    return everywhere.find((channel) => channel.id === id) ?? null;
  }

  moderates(user) {
    return this.state.guilds.some((guild) => guild.owner_id === user.id);
  }

  /** The commands of a kind that are offered in the channel that is open. */
  commands(kind) {
    const context = this.guild ? 0 : 1;
    return this.state.commands.filter(
      (command) =>
        command.type === kind &&
        (command.contexts ?? [0, 1, 2]).includes(context) &&
        (!command.guild_id || command.guild_id === this.guild?.id) &&
        !(command.nsfw && this.guild && !this.channel.nsfw),
    );
  }

  // -- loading ------------------------------------------------------------------------------------------------------

  /** Read everything anew: at the start, after a lost connection, after time was moved. */
  async sync() {
    const [state, clock, interactions] = await Promise.all([
      look("discord/state"),
      look("clock"),
      look("discord/interactions"),
    ]);
    setClock(clock);
    // What was being fetched is read with everything else.
    this.fetching.clear();
    this.view += 1;
    this.state = state;
    this.interactions = new Map(interactions.map((one) => [one.id, one]));
    if (!this.me) this.meId = this.userNamed(remembered("person") ?? "")?.id ?? this.people[0]?.id;
    if (!this.channel) this.channelId = this.firstChannel();
    this.tell("place");
    await this.loadMessages();
  }

  async syncState() {
    this.state = await look("discord/state");
    this.tell("place");
  }

  firstChannel() {
    const channels = this.state.guilds[0]?.channels ?? [];
    return (channels.find((one) => one.name === remembered("channel")) ?? channels[0])?.id ?? null;
  }

  async loadMessages() {
    const { view } = this;
    if (!this.channelId) return;
    const list = await look(`discord/channels/${this.channelId}/messages?as_user=${this.meId}`);
    if (view !== this.view) return;
    this.messages = new Map(list.filter((one) => !one.deleted_at).map((one) => [one.id, one]));
    this.tell("messages");
  }

  async choosePerson(id) {
    const leavesDm = this.channel && !this.channel.guild_id;
    this.meId = id;
    this.view += 1;
    remember("person", this.me.name);
    if (leavesDm) await this.openDm();
    else await this.chooseChannel(this.channelId);
  }

  async chooseChannel(id) {
    this.channelId = id;
    this.view += 1;
    this.fetching.clear();
    this.unread.delete(id);
    this.messages = new Map();
    if (this.channel?.guild_id) remember("channel", this.channel.name);
    this.tell("place");
    this.tell("messages");
    await this.loadMessages();
  }

  async openDm() {
    if (!this.dm) {
      await act("discord/dms", { user: this.meId });
      this.state = await look("discord/state");
    }
    if (this.dm) await this.chooseChannel(this.dm.id);
  }

  // -- news ---------------------------------------------------------------------------------------------------------

  /** Take in one of Discord's events. */
  async heard(event) {
    if (event.event.startsWith("interaction_")) this.tell(`interaction ${event.interaction_id}`);
    else if (event.event.startsWith("message_")) await this.heardOfMessage(event);
    else if (event.event.startsWith("gateway_")) await this.syncState();
  }

  async heardOfMessage(event) {
    if (event.ephemeral_for && event.ephemeral_for !== this.meId) return;
    if (event.channel_id !== this.channelId) {
      if (event.event !== "message_created") return;
      if (!this.anyChannel(event.channel_id)) await this.syncState();
      this.unread.add(event.channel_id);
      this.tell("unread");
    } else if (event.event === "message_deleted") {
      this.messages.delete(event.message_id);
      this.tell("gone", event.message_id);
    } else await this.fetchMessage(event.message_id);
  }

  /** Read a message; news of it that come meanwhile make it be read once more, not once each. */
  async fetchMessage(id) {
    const other = this.fetching.get(id);
    if (other) {
      other.again = true;
      return;
    }
    const { view } = this;
    const mine = { again: false };
    this.fetching.set(id, mine);
    try {
      do {
        mine.again = false;
        const message = await look(`discord/messages/${id}`).catch(() => null);
        if (message?.interaction_id) await this.interaction(message.interaction_id).catch(() => null);
        if (view !== this.view) return;
        if (message && this.shows(message)) {
          this.messages.set(id, message);
          this.tell("message", message);
        }
      } while (mine.again);
    } finally {
      if (this.fetching.get(id) === mine) this.fetching.delete(id);
    }
  }

  /** Whether a message is one that the person sees in the channel that is open. */
  shows(message) {
    const forMe = !message.ephemeral_for || message.ephemeral_for === this.meId;
    return forMe && !message.deleted_at && message.channel_id === this.channelId;
  }

  async interaction(id) {
    if (!this.interactions.has(id)) this.interactions.set(id, await look(`discord/interactions/${id}`));
    return this.interactions.get(id);
  }

  // -- acting -------------------------------------------------------------------------------------------------------

  /**
   * Do something that the bot has to answer; shows it as under way and, if need be, as failed.
   * Returns the interaction, or null after a refusal that was shown.
   */
  async ask(path, body, { label, messageId = null }) {
    const deed = { label, messageId, userId: this.meId, channelId: this.channelId, state: "pending" };
    this.acts.push(deed);
    this.tell("acts");
    try {
      const sent = await act(`discord/${path}`, { user: this.meId, ...body });
      this.interactions.set(sent.id, sent);
      const settled = sent.state === "pending" ? await this.settled(sent.id) : sent;
      if (settled.state === "failed") this.fail(deed, settled.shown);
      else this.forget(deed);
      return settled.state === "failed" ? null : settled;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fail(deed, error.message);
      return null;
    }
  }

  /** Wait for an interaction to be answered or to fail; its events wake us. */
  async settled(id) {
    for (;;) {
      const record = await look(`discord/interactions/${id}`);
      this.interactions.set(id, record);
      if (record.state !== "pending") return record;
      await new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.removeEventListener(`interaction ${id}`, done);
          resolve();
        };
        const timer = setTimeout(done, 1000);
        this.addEventListener(`interaction ${id}`, done);
      });
    }
  }

  fail(one, reason) {
    one.state = "failed";
    one.reason = reason;
    this.tell("acts");
  }

  /** Take an act off the channel. */
  forget(one) {
    this.acts = this.acts.filter((other) => other !== one);
    this.tell("acts");
  }
}

export const store = new Store();

/** How mentions in text are resolved. */
export const names = {
  user: (id) => store.user(id)?.name,
  channel: (id) => store.anyChannel(id)?.name,
  useCommand: null,
};
