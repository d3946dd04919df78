// Talking to the service's HTTP API, with the key of whoever is logged in.

import { $, node } from "./console-dom.js";

const KEY = "reelbus-key";
const PATIENCE_MS = 10000;

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

const key = () => sessionStorage.getItem(KEY);
export const authorization = () => (key() ? { authorization: `Bearer ${key()}` } : {});

export async function api(path, options = {}) {
  const answer = await reach(path, options);
  if (answer.status === 401) {
    logIn(key() ? "That key was not accepted." : "");
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
  const signal = options.signal ?? AbortSignal.timeout(options.patience ?? PATIENCE_MS);
  try {
    return await fetch(path, { ...options, signal, headers: { ...authorization(), ...options.headers } });
  } catch (error) {
    throw new Unreachable(error.name === "TimeoutError" ? "it has not answered in time" : "it does not answer");
  }
}

// ---- log-in ------------------------------------------------------------------------------------------------

const whenLoggedIn = [];
export const onLogIn = (work) => whenLoggedIn.push(work);

function logIn(fault) {
  $("key-faults").replaceChildren(...(fault ? [node("li", {}, fault)] : []));
  if (!$("key").open) $("key").showModal();
}

export function startLogIn() {
  $("key-form").addEventListener("submit", () => {
    sessionStorage.setItem(KEY, $("key-value").value.trim());
    $("key-value").value = "";
    showLogOut();
    whenLoggedIn.forEach((work) => work());
  });
  $("log-out").addEventListener("click", () => {
    sessionStorage.removeItem(KEY);
    location.reload();
  });
  showLogOut();
}

function showLogOut() {
  $("log-out").hidden = !key();
}
