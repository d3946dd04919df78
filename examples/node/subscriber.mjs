// A subscriber with amqplib: npm ci && node subscriber.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import sqlite from "node-sqlite3-wasm";

const { AMQP_URL = "amqp://guest:guest@127.0.0.1/", EXCHANGE = "video.events", QUEUE = "shop.node" } = process.env;
const { DATABASE = "subscriber.db", CLIPS = "clips" } = process.env;
const { SIGNING_SECRET } = process.env; // one of reelbus's REELBUS_EVENT_SIGNING_SECRET
const DEAD = `${QUEUE}.dead`;
const ARGUMENTS = {
  "x-queue-type": "quorum",
  "x-delivery-limit": 5,
  "x-dead-letter-exchange": "",
  "x-dead-letter-routing-key": DEAD,
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
};

class Unreadable extends Error {}

// This program alone uses the file; if it was killed in a transaction, its lock is still there.
rmSync(`${DATABASE}.lock`, { recursive: true, force: true });
const database = new sqlite.Database(DATABASE);
database.exec("CREATE TABLE IF NOT EXISTS handled (event_id TEXT PRIMARY KEY)");
database.exec("CREATE TABLE IF NOT EXISTS listings (video_id TEXT PRIMARY KEY, status TEXT, clip TEXT, trace TEXT)");

// Check the Standard Webhooks signature. Its time is not looked at: a durable queue may keep an event for days.
function verify(body, headers) {
  const key = Buffer.from(SIGNING_SECRET.replace(/^whsec_/, ""), "base64");
  const hmac = createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`);
  const right = Buffer.from(`v1,${hmac.update(body).digest("base64")}`);
  const given = String(headers["webhook-signature"]).split(" ").map((each) => Buffer.from(each));
  if (!given.some((each) => each.length === right.length && timingSafeEqual(each, right)))
    throw new Unreadable("its signature is missing or wrong");
}

function read(body) {
  let event;
  try {
    event = JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new Unreadable(error.message);
  }
  if (event?.specversion !== "1.0" || typeof event.id !== "string" || typeof event.type !== "string")
    throw new Unreadable("this is no CloudEvents 1.0 event");
  return event;
}

// Copy the clip to a file of the event's own; the name makes a repetition harmless.
async function download(event) {
  const headers = event.traceparent ? { traceparent: event.traceparent } : {};
  const response = await fetch(event.data.output_urls[0], { headers, signal: AbortSignal.timeout(60_000) });
  if (!response.ok) throw new Error(`the clip's address answered ${response.status}`);
  mkdirSync(CLIPS, { recursive: true });
  const path = `${CLIPS}/${event.id}.mp4`;
  writeFileSync(`${path}.part`, Buffer.from(await response.arrayBuffer()));
  renameSync(`${path}.part`, path);
  return path;
}

async function handle(body, headers) {
  if (SIGNING_SECRET) verify(body, headers);
  const event = read(body);
  if (event.reelbustest || !["video.ready", "video.failed"].includes(event.type)) {
    console.log(event.type, event.id, "ignored"); // a test event, or a type newer than this program
    return;
  }
  // Slow work comes before the transaction and may be repeated; the addresses expire, so it is not put off.
  const clip = event.type === "video.ready" ? await download(event) : null;
  database.exec("BEGIN IMMEDIATE");
  try {
    const isNew = database.run("INSERT OR IGNORE INTO handled (event_id) VALUES (?)", event.id).changes;
    if (isNew) {
      // in the same transaction as what it does
      const { id, status } = event.data;
      const row = [id, status, clip, event.traceparent ?? null];
      database.run("INSERT INTO listings (video_id, status, clip, trace) VALUES (?, ?, ?, ?)", row);
    }
    database.exec("COMMIT");
    console.log(event.type, event.id, isNew ? "handled" : "a duplicate");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

async function take(channel, message) {
  try {
    await handle(message.content, message.properties.headers ?? {});
    channel.ack(message);
  } catch (error) {
    const again = !(error instanceof Unreadable);
    console.log(again ? "again later:" : "to the dead-letter queue:", error.message);
    if (again) await sleep(1000); // after x-delivery-limit tries it is dead-lettered
    channel.reject(message, again); // reject, not nack: from RabbitMQ 4.3 on only that counts as a delivery
  }
}

async function subscribe() {
  const connection = await amqp.connect(AMQP_URL);
  const lost = new Promise((resolve) => connection.on("close", resolve));
  connection.on("error", (error) => console.log("connection:", error.message));
  try {
    const channel = await connection.createChannel();
    channel.on("error", (error) => console.log("channel:", error.message));
    await channel.prefetch(20);
    await channel.checkExchange(EXCHANGE); // fails until reelbus has declared it
    await channel.assertQueue(DEAD, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.assertQueue(QUEUE, { durable: true, arguments: ARGUMENTS });
    for (const key of ["video.ready.*", "video.failed.*"]) await channel.bindQueue(QUEUE, EXCHANGE, key);
    const cancelled = new Promise((resolve) => {
      channel.consume(QUEUE, (message) => (message ? take(channel, message).catch(resolve) : resolve()));
    });
    console.log("subscribed");
    await Promise.race([lost, cancelled]);
  } finally {
    await connection.close().catch(() => {});
  }
}

// Subscribe again whenever the broker, the connection or the exchange was away.
for (;;) {
  await subscribe().catch((error) => console.log("subscribing again:", error.message));
  await sleep(1000);
}
