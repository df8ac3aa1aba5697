/** Requests to the service: the token, what went wrong, and how long to wait. */

import { askToken } from "./token.js";

// The page lies at /app/ below whatever path a proxy puts the service.
const ROOT = new URL("../", import.meta.url);
const ANSWER_WITHIN = 30_000;
const LONGEST_WAIT = 60;
const REPEATS = 5;

let token = null;

/** A failed request: a sentence for people, the status (0: no answer), the file that it names, seconds to wait. */
export class Problem extends Error {
  constructor(message, { status = 0, file = null, wait = null } = {}) {
    super(message);
    Object.assign(this, { status, file, wait });
  }
}

/** Sends one request; asks for the token where the service wants one. Returns the response, or throws `Problem`. */
export async function request(path, options = {}) {
  for (;;) {
    const used = token;
    const response = await send(path, options, used);
    if (response.ok) return response;
    if (response.status !== 401) throw await problemOf(response);
    // Another request may have got a new token meanwhile.
    if (token === used) token = await newToken(used !== null);
  }
}

async function send(path, { method = "GET", body, signal, keepalive = false }, used) {
  const headers = used === null ? {} : { Authorization: `Bearer ${used}` };
  // Nobody knows how long an upload takes; it can be cancelled.
  const ends = [signal, body ? null : AbortSignal.timeout(ANSWER_WITHIN)].filter(Boolean);
  try {
    const whole = { method, body, headers, keepalive, cache: "no-store", signal: AbortSignal.any(ends) };
    return await fetch(new URL(path, ROOT), whole);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("The service does not answer. Is it running, and is the network there?");
  }
}

async function problemOf(response) {
  const said = await response.json().catch(() => ({}));
  const text = [said.detail, said.title].find((part) => typeof part === "string" && part);
  return new Problem(text ?? `The service answered with the error ${response.status}.`, {
    status: response.status,
    file: said.file ?? null,
    wait: retryAfter(response),
  });
}

/** The JSON of a response; a proxy's own page, or half an answer, is a `Problem`, too. */
export async function json(path, options = {}) {
  const response = await request(path, options);
  try {
    return { response, said: await response.json() };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem("The answer of the service broke off, or was none of its own.");
  }
}

/** Seconds that the service asks to wait, or `null`. */
export function retryAfter(response) {
  const said = response.headers.get("Retry-After");
  if (said === null) return null;
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

/** Repeats a request that failed with one of these states, later and later, or when the service says. */
export async function patiently(ask, { signal, states, onWait, repeats = REPEATS }) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const wait = error.wait ?? 2 ** attempt / 2;
      if (!states.includes(error.status) || attempt === repeats || wait > LONGEST_WAIT) throw error;
      onWait(error.message, wait);
      await sleep(wait, signal);
    }
  }
}

export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, 1000 * seconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function newToken(refused) {
  const given = await askToken(refused);
  if (given === null) throw new Problem("The service asks for a token, and none was given.", { status: 401 });
  return given;
}
