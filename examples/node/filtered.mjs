// Read the log of events over AMQP 1.0, chosen by the broker: npm ci && node filtered.mjs video.ready iacrea
// It needs RabbitMQ 4.1 or newer: older ones know no such filter, and this program then ends and says so.
import rhea from "rhea";

const { types } = rhea;
const { AMQP_URL = "amqp://guest:guest@127.0.0.1/", STREAM = "video.events.log", FROM = "first" } = process.env;
const [type, provider] = process.argv.slice(2);
const FILTER = "amqp:application-properties-filter";

const url = new URL(AMQP_URL);
const connection = rhea.connect({
  host: url.hostname,
  port: Number(url.port || (url.protocol === "amqps:" ? 5671 : 5672)),
  transport: url.protocol === "amqps:" ? "tls" : "tcp",
  username: decodeURIComponent(url.username),
  password: decodeURIComponent(url.password),
  hostname: `vhost:${decodeURIComponent(url.pathname.slice(1)) || "/"}`,
});

// rhea connects again by itself, and attaches again. The stream is then read from FROM anew: keep the ids that you have
// handled, as every subscriber does, or the offset of the last one (the annotation x-stream-offset).
connection.open_receiver({
  source: {
    address: `/queues/${encodeURIComponent(STREAM)}`,
    filter: {
      "rabbitmq:stream-offset-spec": types.wrap_described(FROM, "rabbitmq:stream-offset-spec"),
      [FILTER]: types.wrap_described({ cloudEvents_type: type, provider }, FILTER),
    },
  },
  credit_window: 100,
});

function giveUp() {
  console.log("this broker does not filter; it takes RabbitMQ 4.1 or newer");
  process.exit(1);
}

// RabbitMQ 4.0 takes every filter and obeys none; from 4.1 on its answer names those that it obeys.
connection.on("connection_open", () => {
  const [major, minor] = String(connection.properties?.version).split(".").map(Number);
  if (major < 4 || (major === 4 && minor < 1)) giveUp();
});
connection.on("receiver_open", ({ receiver }) => {
  if (!receiver.remote.attach.source?.filter?.[FILTER]) giveUp();
  console.log("subscribed");
});
connection.on("message", ({ message }) => {
  const { provider: from } = message.application_properties;
  console.log(message.subject ?? message.application_properties.cloudEvents_type, from, message.message_id);
});
connection.on("receiver_error", ({ receiver }) => console.log("subscribing again:", receiver.error?.description));
connection.on("disconnected", ({ error }) => {
  if (error?.message?.startsWith("Unsupported AMQP version")) giveUp(); // older than 4.0: it speaks AMQP 0-9-1 alone
  console.log("connecting again:", error?.message ?? "closed");
});
