// The console: pages by their address, kept up to date. Everything it shows comes from the /v1 API.

import { onLogIn, readSession, startLogIn } from "./console-api.js";
import { $, setAttribute } from "./console-dom.js";
import { refreshDeadCommands } from "./console-dead.js";
import { refreshDrift } from "./console-drift.js";
import { addressOf, fillChoices, readFilters, startFilters } from "./console-filters.js";
import { startKeys } from "./console-keys.js";
import { refreshAudit, showOperations, startOperations } from "./console-operations.js";
import { openProviders, refreshProviders, showProviders } from "./console-providers.js";
import { refreshSettings } from "./console-settings.js";
import { onStatus, refreshStatus } from "./console-status.js";
import { onEvent, streamEvents } from "./console-stream.js";
import { refreshSubscriptions } from "./console-subscriptions.js";
import { startSubmit } from "./console-submit.js";
import { closeVideo, openVideo, refreshVideo, shownVideo, startVideo } from "./console-video.js";
import { forgetVideo, openVideos, redrawAges, refreshVideos, startVideos, takeVideo } from "./console-videos.js";
import { refreshWebhooks, startWebhooks } from "./console-webhooks.js";

const REFRESH_MS = 5000;
const SOON_MS = 1000;
const PAGES = ["videos", "events", "providers", "operations", "webhooks", "audit", "settings", "drift"];
let page = null;

function navigate(address) {
  history.pushState(null, "", address);
  route();
}

function route() {
  const [, , place = "videos", name] = location.pathname.replace(/\/$/, "").split("/");
  page = PAGES.includes(place) ? place : "nothing";
  for (const each of [...PAGES, "nothing"]) $(`page-${each}`).hidden = each !== page;
  for (const link of document.querySelectorAll("#pages a")) {
    setAttribute(link, "aria-current", link.dataset.page === page ? "page" : null);
  }
  document.title = page === "videos" && name ? `${name.slice(0, 8)} · reelbus` : `${page} · reelbus`;
  if (page !== "videos" || !name) closeVideo();
  if (page === "videos") {
    openVideos();
    if (name) openVideo(decodeURIComponent(name));
  }
  if (page === "providers") openProviders(name ? decodeURIComponent(name) : null);
  if (page === "operations") {
    showOperations();
    refreshDeadCommands();
    refreshSubscriptions();
  }
  if (page === "webhooks") refreshWebhooks();
  if (page === "audit") refreshAudit();
  if (page === "settings") refreshSettings();
  if (page === "drift") refreshDrift();
}

// Links within the console change the page without loading it anew; a press with a modifier stays the browser's.
document.addEventListener("click", (press) => {
  const link = press.target.closest("a[data-link]");
  if (!link || press.defaultPrevented || press.button || press.ctrlKey || press.metaKey || press.shiftKey) return;
  press.preventDefault();
  if (link.getAttribute("href") !== location.pathname + location.search) navigate(link.getAttribute("href"));
});
window.addEventListener("popstate", route);

function refresh() {
  readSession();
  refreshStatus();
  if (page === "videos") refreshVideos();
  if (page === "webhooks") refreshWebhooks();
  if (page === "audit") refreshAudit();
  if (page === "operations") refreshSubscriptions();
  if (shownVideo()) refreshVideo();
  redrawAges();
}

startLogIn();
startFilters(navigate);
startVideos();
startOperations();
startWebhooks();
startKeys();
startVideo({
  onClose: () => navigate(`/console${addressOf(readFilters())}`),
  onErased: forgetVideo,
  onOpen: (id) => navigate(`/console/videos/${id}${addressOf(readFilters())}`),
});
startSubmit((video) => {
  takeVideo(video);
  refreshStatus();
});

onLogIn(() => {
  refreshStatus();
  refreshVideos();
  if (page !== "videos") route();
  refreshVideo();
  streamEvents();
});
let known = false;
onStatus((found, fault) => {
  if (found) fillChoices("provider", "every provider", Object.keys(found.status.providers));
  showOperations();
  showProviders();
  if (page === "providers" && found && !known) refreshProviders();
  known = Boolean(found) && !fault;
});
let soon = null;
onEvent((event) => {
  takeVideo(event.data);
  soon ??= setTimeout(() => {
    soon = null;
    refreshStatus();
  }, SOON_MS);
  if (shownVideo() === event.subject) refreshVideo();
});

readSession();
route();
refreshStatus();
streamEvents();
setInterval(refresh, REFRESH_MS);
