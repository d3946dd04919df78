// The console: everything it shows comes from the /v1 API, and all of it is put in as text, never as markup.

const MOTIONS = [
  "zoom_in", "zoom_out", "pan_up", "pan_down", "pan_left", "pan_right", "pullback",
  "rotate_cw", "rotate_ccw", "look_up", "look_down", "auto", "auto_reverse",
];
const PAGE = 50;
const $ = (id) => document.getElementById(id);

// ---- talking to the API ------------------------------------------------------------------------------------

const headers = () => {
  const key = sessionStorage.getItem("reelbus-key");
  return key ? { authorization: `Bearer ${key}` } : {};
};

async function api(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  if (answer.status === 401) {
    askForKey(sessionStorage.getItem("reelbus-key") ? "That key was not accepted." : "");
    throw new Error("an API key is needed");
  }
  const document_ = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(document_.detail || answer.statusText), { problem: document_ });
  return document_;
}

function askForKey(fault) {
  $("key-faults").replaceChildren(...(fault ? [node("li", {}, fault)] : []));
  if (!$("key").open) $("key").showModal();
}

$("key-form").addEventListener("submit", () => {
  sessionStorage.setItem("reelbus-key", $("key-value").value.trim());
  $("key-value").value = "";
  refresh();
  listen();
});

// ---- building the page -------------------------------------------------------------------------------------

function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const chip = (status) => node("span", { class: "chip", "data-status": status }, node("i"), status);
const motion = (name) => name.replaceAll("_", " ").replace(/\bccw\b/, "counter-clockwise").replace(/\bcw\b/, "clockwise");
const clock = (text) => new Date(text).toLocaleTimeString([], { hour12: false });
const web = (url) => (/^https?:\/\//i.test(url) ? url : null);

function span(seconds) {
  if (seconds < 0) return "0 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 130000) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}
const between = (from, to) => span(((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);

// ---- the list ----------------------------------------------------------------------------------------------

const videos = new Map();
let oldest = null;

function query() {
  const wanted = new URLSearchParams({ limit: PAGE });
  for (const name of ["status", "provider"]) if ($(`filter-${name}`).value) wanted.set(name, $(`filter-${name}`).value);
  return wanted;
}

async function load({ older = false } = {}) {
  const wanted = query();
  if (older && oldest) wanted.set("cursor", oldest);
  const page = await api(`/v1/videos?${wanted}`);
  if (!older) videos.clear();
  for (const video of page.items) videos.set(video.id, video);
  oldest = page.next_cursor;
  $("more").hidden = !oldest;
  draw();
}

const fits = (video) =>
  (!$("filter-status").value || video.status === $("filter-status").value) &&
  (!$("filter-provider").value || video.provider === $("filter-provider").value);

function row(video, fresh) {
  return node(
    "tr",
    { tabindex: 0, class: fresh ? "fresh" : null, onclick: () => show(video.id), onkeydown: (key) => key.key === "Enter" && show(video.id) },
    node("td", {}, chip(video.status)),
    node("td", { class: "what", title: video.id }, thumbnail(video), node("div", {}, ...label(video))),
    node("td", {}, motion(video.motion)),
    node("td", { class: video.provider ? null : "dim" }, video.provider || "–"),
    node("td", { class: "number dim" }, between(video.created_at, video.completed_at)),
    node("td", { class: "number dim" }, between(video.created_at)),
  );
}

function label(video) {
  const [name] = Object.values(video.metadata);
  const id = node("code", {}, video.id);
  return name ? [node("span", {}, name), id] : [id];
}

const thumbnails = new Map(); // kept, so that drawing the list anew does not fetch them again

// Only pictures that we keep ourselves are fetched unasked: a caller's address would see this browser, and reach its network.
const ours = (url) => web(url) && URL.canParse(url) && new URL(url).origin === location.origin && new URL(url).pathname.startsWith("/media/");

function thumbnail(video) {
  if (!thumbnails.has(video.id)) {
    const shown = node("span", { class: "thumb" });
    if (ours(video.input_image)) {
      const image = node("img", { src: video.input_image, alt: "", referrerpolicy: "no-referrer", loading: "lazy" });
      image.addEventListener("error", () => image.remove());
      shown.append(image);
    }
    thumbnails.set(video.id, shown);
  }
  return thumbnails.get(video.id);
}

function draw(fresh) {
  const shown = [...videos.values()].filter(fits).sort((a, b) => (a.id < b.id ? 1 : -1));
  $("videos").replaceChildren(...shown.map((video) => row(video, video.id === fresh)));
  $("empty").hidden = shown.length > 0;
}

for (const name of ["status", "provider"]) $(`filter-${name}`).addEventListener("change", () => load().catch(report));
$("more").addEventListener("click", () => load({ older: true }).catch(report));

// ---- the tiles ---------------------------------------------------------------------------------------------

function tile(title, state, big, small) {
  return node("article", { class: "tile", "data-state": state }, node("h2", {}, node("i"), title), node("div", { class: "big" }, big), node("div", { class: "small" }, small));
}

function providerTile(name, state, credit) {
  const balance = credit.remaining === null ? `${credit.spent} spent` : `${credit.remaining} credits`;
  const odd = credit.unexplained ? `, ${credit.unexplained > 0 ? "+" : ""}${credit.unexplained} unexplained` : "";
  const ledger = `${credit.spent} spent, ${credit.refunded} refunded${odd}`;
  if (!state.enabled) return tile(name, "off", "off", "has no credentials here");
  if (!state.authorized) return tile(name, "bad", "refuses our key", `since ${clock(state.unauthorized_since)}`);
  if (state.paused_until) return tile(name, "busy", balance, `asked us to pause until ${clock(state.paused_until)}`);
  return tile(name, "good", balance, ledger);
}

async function overview() {
  const [status, credits] = await Promise.all([api("/v1/status"), api("/v1/credits")]);
  const open = Object.values(status.open_videos).reduce((sum, count) => sum + count, 0);
  const waiting = status.outbox.unpublished;
  const broker = status.broker === null ? ["off", "elsewhere", "another process publishes"]
    : status.broker.ready ? ["good", "connected", waiting ? `${waiting} events to publish` : "every event is published"]
    : ["bad", "away", `${waiting} events wait. ${status.broker.fault}`];
  const refused = status.outbox.refused ? `, ${status.outbox.refused} refused by the broker` : "";
  const parked = status.commands && status.commands.dead_letters;
  const work = Object.entries(status.open_videos).map(([name, count]) => `${count} ${name}`).join(", ");
  $("tiles").replaceChildren(
    tile("In work", open ? "busy" : "good", String(open), work || "nothing to do"),
    tile("Broker", ...broker),
    tile("Outbox", waiting ? "busy" : "good", String(waiting), waiting ? `oldest waits ${span(status.outbox.oldest_seconds)}${refused}` : "nothing waits"),
    ...(parked === null ? [] : [tile("Dead letters", parked ? "bad" : "good", String(parked), parked ? "commands are parked: reelbus dead list" : "no command is parked")]),
    ...Object.entries(status.providers).map(([name, state]) => providerTile(name, state, credits[name])),
  );
}

// ---- one video ---------------------------------------------------------------------------------------------

let shownId = null;

async function show(id) {
  shownId = id;
  await redraw().catch(report);
  if (shownId === id && !$("detail").open) $("detail").showModal();
}

async function redraw() {
  const id = shownId;
  const [video, timeline] = await Promise.all([api(`/v1/videos/${id}`), api(`/v1/videos/${id}/timeline`)]);
  if (shownId !== id) return;
  const playing = $("detail").querySelector("video");
  if (playing && !playing.paused) return; // do not stop what somebody is watching
  $("detail-body").replaceChildren(head(video), body(video, timeline.items));
}

function head(video) {
  return node(
    "div", { class: "detail-head" }, chip(video.status), node("code", { title: video.id }, video.id),
    video.completed_at ? node("button", { type: "button", onclick: (press) => redeliver(video.id, press.target) }, "Redeliver event") : null,
    node("button", { type: "button", onclick: () => $("detail").close() }, "Close"),
  );
}

async function redeliver(id, button) {
  button.disabled = true;
  try {
    await api(`/v1/videos/${id}/redeliver`, { method: "POST" });
    button.textContent = "Sent again";
  } catch (error) {
    report(error);
    button.disabled = false;
  }
}

function picture(url) {
  const none = () => node("div", { class: "none" }, "the picture cannot be shown");
  if (!web(url) || !URL.canParse(url)) return none();
  if (!ours(url)) {
    const ask = node("button", { type: "button", class: "none" }, `show the picture from ${new URL(url).host}`);
    ask.addEventListener("click", () => ask.replaceWith(fetched(url, none)));
    return ask;
  }
  return fetched(url, none);
}

function fetched(url, none) {
  const shown = node("img", { src: url, alt: "The picture", referrerpolicy: "no-referrer", loading: "lazy" });
  shown.addEventListener("error", () => shown.replaceWith(none()));
  return shown;
}

function outcome(video) {
  const url = video.output_urls.find(web);
  if (url) return node("video", { src: url, controls: "", loop: "", playsinline: "", preload: "metadata" });
  return node("div", { class: "none" }, video.status === "failed" ? "no video was made" : "the video will be here");
}

function body(video, timeline) {
  const links = video.output_urls.filter(web).map((url) => node("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url));
  return node(
    "div", { class: "detail" },
    video.error ? node("div", { class: "trouble" }, node("b", {}, video.error.code.replaceAll("_", " ")), video.error.message) : null,
    node("div", { class: "media" },
      node("figure", {}, picture(video.input_image), node("figcaption", {}, "the picture")),
      node("figure", {}, outcome(video), node("figcaption", {}, ...(links.length ? links.slice(0, 1) : ["the video"])))),
    section("Request", facts({
      motion: motion(video.motion), orientation: video.orientation, prompt: video.prompt, provider: video.provider,
      "found by": video.detected_by, refund: refund(video.refund), accepted: when(video.created_at),
      took: between(video.created_at, video.completed_at),
      ...Object.fromEntries(Object.entries(video.metadata).map(([key, value]) => [`metadata.${key}`, value])),
    })),
    video.attempts.length ? section(video.attempts.length === 1 ? "Attempt" : "Attempts", ...video.attempts.map(attempt)) : null,
    section("Timeline", node("ol", { class: "timeline" }, ...timeline.map(entry))),
  );
}

const section = (title, ...content) => node("section", {}, node("h3", {}, title), ...content);
const when = (text) => new Date(text).toLocaleString([], { hour12: false });
const refund = (given) => given && `${given.status.replaceAll("_", " ")}${given.credits ? ` (${given.credits})` : ""}`;

function facts(pairs) {
  const known = Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return node("dl", { class: "facts" }, ...known.flatMap(([key, value]) => [node("dt", {}, key), node("dd", {}, String(value))]));
}

function attempt(tried) {
  return node(
    "article", { class: "attempt" },
    node("header", {}, tried.provider, chip(tried.status)),
    facts({
      job: tried.provider_job_id, submitted: tried.submitted_at && when(tried.submitted_at),
      took: tried.submitted_at && tried.finished_at && between(tried.submitted_at, tried.finished_at),
      "found by": tried.detected_by, refund: refund(tried.refund),
      fault: tried.error && `${tried.error.code.replaceAll("_", " ")}: ${tried.error.message}`,
    }),
  );
}

function entry(happened) {
  const which = happened.attempt ? ` (attempt ${happened.attempt})` : "";
  return node("li", {}, happened.what + which, node("time", { datetime: happened.at }, clock(happened.at)), happened.detail ? node("small", {}, happened.detail) : null);
}

$("detail").addEventListener("click", (press) => press.target === $("detail") && $("detail").close());
$("detail").addEventListener("close", () => { shownId = null; $("detail-body").replaceChildren(); });

// ---- events as they happen ---------------------------------------------------------------------------------

let listening = null;
let heard = null;

async function listen() {
  listening?.abort();
  const own = (listening = new AbortController());
  while (!own.signal.aborted) {
    try {
      await hear(own.signal);
    } catch {
      if (own.signal.aborted) return;
    }
    if (own.signal.aborted) return;
    live(false, "reconnecting");
    await new Promise((again) => setTimeout(again, 2000));
  }
}

async function hear(signal) {
  const answer = await fetch("/v1/events", { headers: { ...headers(), ...(heard && { "last-event-id": heard }) }, signal });
  if (answer.status === 401) {
    listening.abort();
    live(false, "needs a key");
    return;
  }
  if (!answer.ok) throw new Error(answer.statusText);
  live(true, "live");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    messages.forEach(take);
  }
}

function live(on, text) {
  $("live").dataset.state = on ? "on" : "off";
  $("live-text").textContent = text;
}

function take(message) {
  const fields = Object.fromEntries(message.split("\n").filter((line) => /^\w/.test(line)).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
  }));
  if (!fields.data) return;
  heard = fields.id;
  const event = JSON.parse(fields.data);
  $("quiet").hidden = true;
  $("feed").prepend(node(
    "li", { onclick: () => show(event.subject) },
    node("time", { datetime: event.time }, clock(event.time)), node("b", {}, event.type),
    node("span", { class: "to" }, [event.data.provider, motion(event.data.motion), event.data.error?.message].filter(Boolean).join(" · ")),
  ));
  while ($("feed").children.length > 200) $("feed").lastChild.remove();
  videos.set(event.subject, event.data);
  draw(event.subject);
  overview().catch(report);
  if (shownId === event.subject) redraw().catch(report);
}

// ---- a new video -------------------------------------------------------------------------------------------

$("motion").replaceChildren(...MOTIONS.map((name) => node("option", { value: name }, motion(name))));
$("new").addEventListener("click", () => { complain(); $("submit").showModal(); });
$("cancel").addEventListener("click", () => $("submit").close());
$("file").addEventListener("change", preview);

for (const happening of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(happening, (drag) => {
    drag.preventDefault();
    $("drop").classList.toggle("over", happening === "dragover");
    if (happening === "drop" && drag.dataTransfer.files.length) { $("file").files = drag.dataTransfer.files; preview(); }
  });
}

function preview() {
  const [file] = $("file").files;
  URL.revokeObjectURL($("preview").src);
  $("preview").hidden = !file;
  $("drop-text").hidden = Boolean(file);
  if (file) $("preview").src = URL.createObjectURL(file);
}

// Not crypto.randomUUID, which browsers keep from pages that came over plain HTTP from another machine.
const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function complain(faults = []) {
  $("faults").replaceChildren(...faults.map((fault) => node("li", {}, fault)));
}

$("submit-form").addEventListener("submit", async (press) => {
  press.preventDefault();
  const form = new FormData();
  if ($("file").files[0]) form.set("image", $("file").files[0]);
  if ($("image-url").value) form.set("image_url", $("image-url").value);
  for (const name of ["motion", "provider", "orientation"]) form.set(name, $(name).value);
  if ($("prompt").value) form.set("prompt", $("prompt").value);
  $("send").disabled = true;
  try {
    const video = await api("/v1/videos", { method: "POST", body: form, headers: { "idempotency-key": unique() } });
    $("submit").close();
    $("submit-form").reset();
    preview();
    videos.set(video.id, video);
    draw(video.id);
    overview().catch(report);
  } catch (error) {
    complain(error.problem?.errors?.map((fault) => `${fault.field} ${fault.message}`) ?? [error.message]);
  } finally {
    $("send").disabled = false;
  }
});

// ---- keeping it going --------------------------------------------------------------------------------------

function report(error) {
  console.warn(error.message);
}

function refresh() {
  load().catch(report);
  overview().catch(report);
}

refresh();
listen();
setInterval(() => overview().catch(report), 5000);
setInterval(() => draw(), 5000);
setInterval(() => { if (![...videos.values()].every((video) => video.completed_at) && oldest === null) load().catch(report); }, 5000);
