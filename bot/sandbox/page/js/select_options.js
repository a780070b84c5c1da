// What the selects of messages and forms have to choose from.

import { store } from "./store.js";

/** Return what a select of any kind offers. */
export function optionsOf(select) {
  const people = () => store.state.users.map((user) => ({ label: user.name, value: user.id }));
  const channels = () => (store.guild?.channels ?? []).map((channel) => ({ label: `#${channel.name}`, value: channel.id }));
  const offered = { 3: () => select.options ?? [], 5: people, 7: people, 8: channels };
  return offered[select.type]?.() ?? [];
}
