// What can be arranged to go wrong, each with one press (docs/sandbox.md has many more).

import { act, look, remove } from "./api.js";

const fault = (body) => () => act("faults", body);

/** Take away the outage of the Horde. */
async function hordeBack() {
  const outages = (await look("faults")).filter((one) => one.service === "horde" && one.times === null);
  for (const one of outages) await remove(`faults/${one.id}`);
}

/** Take back everything that waits to go wrong. */
export async function putRight() {
  await remove("faults");
  for (const lever of ["fault", "silence", "censor", "dead-links", "alchemy-fault"]) await act(`horde/${lever}`, { next: 0 });
  await act("horde/text", { fault: 0, censor: 0 });
}

/** What is arranged at the Horde, in words. */
export const PLANS = {
  fault: "worker fault",
  silence: "silent worker",
  censor: "censored picture",
  "dead-links": "dead link",
  "text-fault": "writer's fault",
  "text-censor": "censored text",
  "alchemy-fault": "alchemist's fault",
};

export const MISHAPS = [
  {
    label: "Horde says 429",
    about: "The next request for a job is refused with 429, once",
    said: "The next submission meets a 429.",
    arrange: fault({ service: "horde", method: "POST", status: 429, headers: { "Retry-After": "3" } }),
  },
  {
    label: "Horde is slow",
    about: "The next ten answers of the Horde come four seconds late",
    said: "The next ten answers of the Horde come 4 s late.",
    arrange: fault({ service: "horde", times: 10, delay: 4, action: "pass" }),
  },
  {
    label: "Horde is down",
    about: "Every call to the Horde is answered with 503 until it is back",
    said: "The Horde is down.",
    arrange: fault({ service: "horde", status: 503, times: null }),
  },
  {
    label: "Horde is back",
    about: "Ends the outage",
    said: "The Horde is back.",
    arrange: hordeBack,
  },
  {
    label: "Worker fails",
    about: "The next picture that a worker takes ends in a fault",
    said: "The next worker fails.",
    arrange: () => act("horde/fault", { next: 1 }),
  },
  {
    label: "Censored picture",
    about: "The next picture comes as a censored placeholder",
    said: "The next picture will be censored.",
    arrange: () => act("horde/censor", { next: 1, kind: "nsfw" }),
  },
  {
    label: "Dead link",
    about: "The next download finds its link dead",
    said: "The next download link is dead.",
    arrange: () => act("horde/dead-links", { next: 1, kind: "expired" }),
  },
  {
    label: "Writer fails",
    about: "The next text that a worker takes ends in a fault",
    said: "The next writer fails.",
    arrange: () => act("horde/text", { fault: 1 }),
  },
  {
    label: "Form fails",
    about: "The next four attempts at alchemy end in a fault; a form gives up at its fourth",
    said: "The next four attempts at a form fail.",
    arrange: () => act("horde/alchemy-fault", { next: 4 }),
  },
  {
    label: "Discord cuts a call",
    about: "The next edit of a message is done, but the connection is reset before the bot hears so",
    said: "The next edit is cut after it was done.",
    arrange: fault({ service: "discord", method: "PATCH", action: "reset_after" }),
  },
  {
    label: "Drop the gateway",
    about: "The bot's connection to Discord is cut; it resumes by itself",
    said: "The gateway connection was dropped.",
    arrange: () => act("discord/gateway/drop", { resumable: true }),
  },
];
