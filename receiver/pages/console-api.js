// Talking to the service's HTTP API. Who is logged in is told by a cookie that no script can read.

import { $, node, setAttribute } from "./console-dom.js";

const TIMEOUT_MS = 10000;

/** Something that the service refused; `problem` is its problem document. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the service answered ${status}`);
    Object.assign(this, { status, problem });
  }
}

/** The service did not answer, or not as itself. Whether it did what was asked is not known. */
export class Unreachable extends Error {}

/** No key, or a wrong one: the log-in is shown. */
export class KeyNeeded extends Error {
  constructor() {
    super("an API key is needed");
  }
}

export async function api(path, options = {}) {
  const answer = await reach(path, options);
  if (answer.status === 401) {
    logIn(session?.keyed ? "Your session has ended, or your key was disabled or has expired." : "");
    throw new KeyNeeded();
  }
  if (answer.status === 204) return null;
  const answered = await answer.json().catch(() => {
    throw new Unreachable(`something else than the service answered (status ${answer.status})`);
  });
  if (!answer.ok) throw new Refused(answer.status, answered);
  return answered;
}

export const post = (path, body) =>
  api(path, {
    method: "POST",
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });

async function reach(path, options) {
  const signal = options.signal ?? AbortSignal.timeout(options.timeout ?? TIMEOUT_MS);
  try {
    return await fetch(path, { ...options, signal });
  } catch (error) {
    throw new Unreachable(error.name === "TimeoutError" ? "it has not answered in time" : "it does not answer");
  }
}

// ---- log-in ------------------------------------------------------------------------------------------------

const SESSION = "/console/session";
const whenLoggedIn = [];
let session = null;

export const onLogIn = (work) => whenLoggedIn.push(work);

/** Ask who is logged in, until that is known; what the caller may not do is not offered. */
export async function readSession() {
  if (session) return;
  try {
    showSession(await api(SESSION));
  } catch {
    // Without a key the log-in is shown by now; a service that is away is asked again.
  }
}

function showSession(found) {
  session = found;
  setAttribute(document.body, "data-scopes", found.scopes.join(" "));
  $("log-out").hidden = !found.keyed;
  $("log-out").title = found.keyed ? `Logged in as ${found.caller}` : "";
}

function logIn(fault) {
  session = null;
  if ($("key").open) return;
  showFault(fault);
  $("key").showModal();
}

function showFault(fault) {
  $("key-faults").replaceChildren(...(fault ? [node("li", {}, fault)] : []));
}

// A header holds bytes: a key of other letters goes as its UTF-8.
const asBytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

async function sendKey() {
  const given = $("key-value").value.trim();
  $("key-value").value = "";
  try {
    const answer = await reach(SESSION, { method: "POST", headers: { authorization: `Bearer ${asBytes(given)}` } });
    if (answer.status === 401) return showFault("That key was not accepted.");
    if (!answer.ok) return showFault(`You cannot log in now: the service answered ${answer.status}.`);
    showSession(await answer.json());
  } catch (error) {
    return showFault(`You cannot log in now: ${error.message}.`);
  }
  showFault("");
  $("key").close();
  whenLoggedIn.forEach((work) => work());
}

export function startLogIn() {
  $("key-form").addEventListener("submit", (press) => {
    press.preventDefault();
    sendKey();
  });
  $("log-out").addEventListener("click", async () => {
    try {
      await reach(SESSION, { method: "DELETE" });
    } finally {
      location.reload();
    }
  });
}
