// The form for a new video.

import { api, KeyNeeded, Refused } from "./console-api.js";
import { $, node } from "./console-dom.js";
import { motion, MOTIONS } from "./console-format.js";
import { status } from "./console-status.js";

const LABELS = {
  image: "Picture", image_url: "Address of the picture", image_base64: "Picture", motion: "Motion", provider: "Provider",
  orientation: "Orientation", prompt: "Prompt", metadata: "Metadata",
};
const FIELDS = { image: "file", image_url: "image-url", motion: "motion", provider: "provider", orientation: "orientation", prompt: "prompt" };

// One for each form, not for each press: when an answer is lost and the button is pressed again, no second video is paid for.
let idempotencyKey = null;

// Not crypto.randomUUID, which browsers keep from pages that came over plain HTTP from another machine.
const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Connect the form; `onAccepted` is given the new video. */
export function startSubmit(onAccepted) {
  $("motion").replaceChildren(...MOTIONS.map((name) => node("option", { value: name }, motion(name))));
  $("new").addEventListener("click", open);
  $("cancel").addEventListener("click", () => $("submit").close());
  $("file").addEventListener("change", preview);
  $("submit-form").addEventListener("input", () => showErrors());
  $("submit-form").addEventListener("submit", (press) => {
    press.preventDefault();
    send(onAccepted);
  });
  for (const name of ["dragover", "dragleave", "drop"]) $("drop").addEventListener(name, drag);
}

function open() {
  const names = Object.entries(status()?.status.providers ?? {}).filter(([, state]) => state.enabled).map(([name]) => name);
  const chosen = $("provider").value;
  $("provider").replaceChildren(...["auto", ...names].map((name) => node("option", {}, name)));
  if (names.includes(chosen)) $("provider").value = chosen;
  idempotencyKey ??= unique();
  showErrors();
  $("submit").showModal();
}

function drag(dragged) {
  dragged.preventDefault();
  $("drop").classList.toggle("over", dragged.type === "dragover");
  if (dragged.type === "drop" && dragged.dataTransfer.files.length) {
    $("file").files = dragged.dataTransfer.files;
    showErrors();
    preview();
  }
}

function preview() {
  const [file] = $("file").files;
  URL.revokeObjectURL($("preview").src);
  $("preview").hidden = !file;
  $("drop-text").hidden = Boolean(file);
  if (file) $("preview").src = URL.createObjectURL(file);
}

function showErrors(faults = []) {
  $("faults").replaceChildren(...faults.map((fault) => node("li", {}, fault.text)));
  for (const [field, id] of Object.entries(FIELDS)) {
    if (faults.some((fault) => fault.field === field)) $(id).setAttribute("aria-invalid", "true");
    else $(id).removeAttribute("aria-invalid");
  }
}

function read() {
  const form = new FormData();
  if ($("file").files[0]) form.set("image", $("file").files[0]);
  if ($("image-url").value) form.set("image_url", $("image-url").value);
  for (const name of ["motion", "provider", "orientation"]) form.set(name, $(name).value);
  if ($("prompt").value) form.set("prompt", $("prompt").value);
  return form;
}

function ownErrors(form) {
  if (form.has("image") && form.has("image_url")) return [{ field: "image_url", text: "Give a picture or its address, not both." }];
  if (!form.has("image") && !form.has("image_url")) return [{ field: "image", text: "Choose a picture, or give its address." }];
  return [];
}

async function send(onAccepted) {
  const form = read();
  const faults = ownErrors(form);
  if (faults.length) {
    showErrors(faults);
    return;
  }
  $("send").disabled = true;
  try {
    const video = await api("/v1/videos", { method: "POST", body: form, headers: { "idempotency-key": idempotencyKey }, timeout: 60000 });
    idempotencyKey = null;
    $("submit").close();
    $("submit-form").reset();
    preview();
    onAccepted(video);
  } catch (error) {
    showErrors(errorsOf(error));
  } finally {
    $("send").disabled = false;
  }
}

function errorsOf(error) {
  if (error instanceof KeyNeeded) return [{ text: "Log in with an API key first." }];
  if (!(error instanceof Refused)) {
    return [{ text: "The service did not answer. Nothing is lost: press again, and the same video is not made twice." }];
  }
  const { code, errors } = error.problem;
  if (code === "idempotency_conflict") {
    idempotencyKey = null;
    return [{ text: "An earlier press was accepted after all, with what the form said then. It is in the list. Press again to make another video." }];
  }
  if (error.status >= 500) return [{ text: `The service cannot take it now: ${error.message} Press again in a moment; it is not made twice.` }];
  if (!errors?.length) return [{ field: code === "motion_unsupported" ? "motion" : code === "image_rejected" ? "image" : undefined, text: error.message }];
  return errors.map((fault) => ({ field: fault.field, text: `${LABELS[fault.field.split(".")[0]] ?? fault.field}: ${fault.message}` }));
}
