// Actions: each says what it will do before it does it, and what it did after.

import { $, node } from "./console-dom.js";
import { api, KeyNeeded, post, Refused, Unreachable } from "./console-api.js";
import { counted, refund, words } from "./console-format.js";

/** Ask before an action; resolves to whether it was confirmed. */
export function confirmAction(title, text, action) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-yes").textContent = action;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answered) => {
    dialog.addEventListener("close", () => answered(dialog.returnValue === "yes"), { once: true });
  });
}

/** Say in a corner what an action did, also to those who listen. */
export function announce(text, level = "good") {
  const told = node("p", { "data-level": level }, text);
  // Behind an open drawer nobody would see it.
  $($("detail").open ? "detail-announcements" : "announcements").append(told);
  setTimeout(() => told.remove(), level === "good" ? 6000 : 15000);
}

export function announceError(error) {
  if (error instanceof KeyNeeded) return;
  const unsure = error instanceof Unreachable ? " Whether it was done is not known." : "";
  announce(`Not done: ${error.message}.${unsure}`.replace("..", "."), "bad");
}

export async function redeliver(ids) {
  const what = ids.length === 1 ? "this video's terminal event" : `the terminal events of ${counted(ids.length, "video")}`;
  const confirmed = await confirmAction("Redeliver", `Publish ${what} again? Event ids stay the same, so that subscribers know a repeat.`, `Redeliver ${ids.length === 1 ? "event" : counted(ids.length, "event")}`);
  if (confirmed) await runOnEach(ids, (id) => post(`/v1/videos/${id}/redeliver`), "published again");
}

export async function retry(ids) {
  const what = ids.length === 1 ? "this video" : counted(ids.length, "failed video");
  const text = `Make ${what} again, as new? That costs credits like every new video. What may have been paid for already is asked about first.`;
  if (!(await confirmAction("Retry", text, `Retry ${ids.length === 1 ? "video" : counted(ids.length, "video")}`))) return null;
  const risky = [];
  const made = await runOnEach(ids, (id) => retryOne(id, risky), "being made again");
  if (!risky.length) return made.at(-1)?.id ?? null;
  const risk = `Of ${counted(risky.length, "video")} nobody knows whether a credit was taken, and whether it is still being made. Retry all the same, and perhaps pay twice?`;
  if (!(await confirmAction("This may pay twice", risk, "Retry and accept the risk"))) return made.at(-1)?.id ?? null;
  const accepted = await runOnEach(risky, (id) => post(`/v1/videos/${id}/retry`, { accept_risk: true }), "being made again");
  return [...made, ...accepted].at(-1)?.id ?? null;
}

async function retryOne(id, risky) {
  try {
    return await post(`/v1/videos/${id}/retry`);
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.code !== "retry_may_pay_twice") throw error;
    risky.push(id);
    return null;
  }
}

/** Do the same to each, one after the other, and say how it went. Stops at the first that nobody answers. */
async function runOnEach(ids, action, done) {
  const results = [];
  const errors = [];
  for (const id of ids) {
    try {
      const result = await action(id);
      if (result) results.push(result);
    } catch (error) {
      errors.push(error);
      if (!(error instanceof Refused)) break;
    }
  }
  if (results.length) announce(`${counted(results.length, "video is", "videos are").replace(/^1 video is/, "The video is")} ${done}.`);
  if (errors.length === 1) announceError(errors[0]);
  if (errors.length > 1) announce(`${counted(errors.length, "video")} not done. The first: ${errors[0].message}`, "bad");
  return results;
}

/** Erase a finished video; resolves to whether it is gone. */
export async function erase(id) {
  const text = "Erase this video and everything that is kept of it: picture, timeline, events? The clip at its provider is not touched. This cannot be undone.";
  if (!(await confirmAction("Erase", text, "Erase video"))) return false;
  return act(`/v1/videos/${id}`, "The video is erased.", "DELETE");
}

export async function pauseProvider(name) {
  const text = `Give ${name} no new work until it is resumed? What it has in hand is still looked at; new videos go to another provider where they may, or wait.`;
  if (await confirmAction(`Pause ${name}`, text, "Pause")) await act(`/v1/providers/${name}/pause`, `${name} is paused.`);
}

export async function resumeProvider(name) {
  if (await confirmAction(`Resume ${name}`, `Give ${name} work again?`, "Resume")) await act(`/v1/providers/${name}/resume`, `${name} is given work again.`);
}

/** Have the provider asked about a video now. */
export async function checkNow(id) {
  await act(`/v1/videos/${id}/check`, "The provider is being asked.");
}

const PROMISES = {
  none: "cannot be asked to stop a job: if it may have this one, nothing is changed and it costs what it costs.",
  wish: "is asked to stop the job, and may go on all the same once it runs. Until it answers, nobody knows what that costs.",
  certain: "is asked to stop the job, and says for certain whether it did. What it had begun may be paid for.",
};

async function promised(name) {
  if (!name) return "";
  const { cancel, refund_evidence: evidence } = (await api("/v1/providers")).items.find((provider) => provider.name === name);
  return ` Else ${name} ${PROMISES[cancel]}${evidence && cancel !== "none" ? ` What is known of its prices: ${evidence}.` : ""}`;
}

/** Stop a video, as far as its provider lets itself be stopped. */
export async function stop(id) {
  try {
    const { provider } = await api(`/v1/videos/${id}`);
    const text = `Stop this video? What was never sent to a provider ends at once and costs nothing.${await promised(provider)} Nothing more is sent for it.`;
    if (!(await confirmAction("Stop", text, "Stop video"))) return;
    const { outcome, message, refund: cost } = await post(`/v1/videos/${id}/cancel`);
    announce(`Stopping is ${words(outcome)}: ${message}.${cost ? ` Credit: ${refund(cost)}.` : ""}`, outcome === "too_late" ? "bad" : "good");
  } catch (error) {
    announceError(error);
  }
}

export async function requeueCommand(command) {
  const text = `Put the command back into its queue? It is handled as if it came anew. It was parked because: ${command.reason}`;
  return (await confirmAction("Put back", text, "Put command back")) && act(`/v1/dead-commands/${command.id}/requeue`, "The command is back in its queue.");
}

export async function dropCommand(command) {
  const text = "Take this command away for good? Whoever sent it gets no video for it. This cannot be undone.";
  return (await confirmAction("Drop", text, "Drop command")) && act(`/v1/dead-commands/${command.id}`, "The command is gone.", "DELETE");
}

async function act(path, done, method = "POST") {
  try {
    await api(path, { method });
    announce(done);
    return true;
  } catch (error) {
    announceError(error);
    return false;
  }
}
