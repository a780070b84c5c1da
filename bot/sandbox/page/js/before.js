// What a picture was made from, so that before and after can be compared.

import { localUrl } from "./dom.js";
import { store } from "./store.js";

/** How many replies are followed back: a mention may answer the message that has the picture. */
const FAR_ENOUGH = 2;

/** Return the one picture that a message of the bot was made from, as { url, name }, or null where that is not plain. */
export function pictureBefore(message) {
  const used = message.interaction_id && store.interactions.get(message.interaction_id);
  return used ? ofInteraction(used) : ofReply(message.reply_to, FAR_ENOUGH);
}

function ofInteraction(used) {
  const given = Object.values(used.data?.resolved?.attachments ?? {});
  return onlyPicture(given) ?? ofMessage(used.data?.target_id ?? used.source_message_id);
}

function ofReply(id, left) {
  if (!id || left === 0) return null;
  return ofMessage(id) ?? ofReply(store.messages.get(id)?.reply_to, left - 1);
}

function ofMessage(id) {
  return id ? onlyPicture(store.messages.get(id)?.attachments ?? []) : null;
}

function onlyPicture(files) {
  const pictures = files.filter((file) => file.content_type?.startsWith("image/") && !file.filename.startsWith("SPOILER_"));
  return pictures.length === 1 ? { url: localUrl(pictures[0].url), name: pictures[0].filename } : null;
}
