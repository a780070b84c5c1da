// The sandbox's control API (docs/sandbox.md): one function to look, one to act, and refusals as an exception.

/** What the world would not do; the message is a sentence for people. */
export class Refused extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

/** GET below /sandbox/. */
export const look = (path) => ask("GET", path);

/** POST below /sandbox/. */
export const act = (path, body = {}) => ask("POST", path, body);

/** DELETE below /sandbox/. */
export const remove = (path) => ask("DELETE", path);

async function ask(method, path, body) {
  // Browsers print every 4xx to the console, so refusals are asked for as 200 with the status in a header.
  const headers = { "Sandbox-Refusals": "soft", ...(body ? { "Content-Type": "application/json" } : {}) };
  let answer;
  try {
    answer = await fetch(`/sandbox/${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Refused("The sandbox does not answer. Is it still running?", 0);
  }
  const status = Number(answer.headers.get("Sandbox-Status") ?? answer.status);
  const text = await answer.text();
  const told = text ? JSON.parse(text) : null;
  if (status >= 400) throw new Refused(told?.error ?? `The sandbox answered ${status}.`, status);
  return told;
}

/** Return a file as the control API takes it. */
export async function encoded(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { filename: file.name || "pasted.png", data: btoa(binary) };
}
