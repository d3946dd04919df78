// A subscriber with the RabbitMQ Java client: java -cp "libraries/*" Subscriber.java
// Libraries: com.rabbitmq:amqp-client, com.google.code.gson:gson, org.xerial:sqlite-jdbc.

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DeliverCallback;
import com.rabbitmq.client.Delivery;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Subscriber {
  private static final String AMQP_URL = setting("AMQP_URL", "amqp://guest:guest@127.0.0.1/");
  private static final String EXCHANGE = setting("EXCHANGE", "video.events");
  private static final String QUEUE = setting("QUEUE", "shop.java");
  private static final String DEAD = QUEUE + ".dead";
  private static final String DATABASE = "jdbc:sqlite:" + setting("DATABASE", "subscriber.db");
  private static final Path CLIPS = Path.of(setting("CLIPS", "clips"));
  private static final String SIGNING_SECRET = setting("SIGNING_SECRET", ""); // one of REELBUS_EVENT_SIGNING_SECRET
  private static final Map<String, Object> ARGUMENTS =
      Map.of(
          "x-queue-type", "quorum",
          "x-delivery-limit", 5,
          "x-dead-letter-exchange", "",
          "x-dead-letter-routing-key", DEAD,
          "x-dead-letter-strategy", "at-least-once",
          "x-overflow", "reject-publish");
  private static final HttpClient HTTP =
      HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();

  /** The message is no event that this program can read. */
  private static final class Unreadable extends Exception {
    Unreadable(String message) {
      super(message);
    }
  }

  public static void main(String[] arguments) throws Exception {
    createTables();
    while (true) { // subscribe again whenever the broker, the connection or the exchange was away
      try {
        subscribe();
      } catch (Exception error) {
        System.out.println("subscribing again: " + error);
      }
      Thread.sleep(1000);
    }
  }

  private static void subscribe() throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(AMQP_URL.replaceFirst("/$", "")); // to this client a last slash is a virtual host without a name
    factory.setAutomaticRecoveryEnabled(false); // main() begins anew, and so also finds a queue that was deleted
    try (Connection connection = factory.newConnection()) {
      CountDownLatch lost = new CountDownLatch(1);
      connection.addShutdownListener(cause -> lost.countDown());
      Channel channel = connection.createChannel();
      channel.basicQos(20);
      channel.exchangeDeclarePassive(EXCHANGE); // fails until reelbus has declared it
      channel.queueDeclare(DEAD, true, false, false, Map.of("x-queue-type", "quorum"));
      channel.queueDeclare(QUEUE, true, false, false, ARGUMENTS);
      for (String key : List.of("video.ready.*", "video.failed.*")) {
        channel.queueBind(QUEUE, EXCHANGE, key);
      }
      DeliverCallback take = (tag, message) -> take(channel, message);
      channel.basicConsume(QUEUE, false, take, tag -> lost.countDown());
      System.out.println("subscribed");
      lost.await();
    }
  }

  /** Handle one message, and acknowledge it after its effect is on disk. */
  private static void take(Channel channel, Delivery message) throws IOException {
    long tag = message.getEnvelope().getDeliveryTag();
    try {
      if (!SIGNING_SECRET.isEmpty()) {
        verify(message.getBody(), message.getProperties().getHeaders());
      }
      handle(message.getBody());
      channel.basicAck(tag, false);
    } catch (Unreadable error) {
      System.out.println("to the dead-letter queue: " + error.getMessage());
      channel.basicReject(tag, false);
    } catch (SQLException | InterruptedException | RuntimeException | IOException error) {
      System.out.println("again later: " + error);
      pause();
      channel.basicReject(tag, true); // reject, not nack: from RabbitMQ 4.3 on only that counts as a delivery
    }
  }

  private static void handle(byte[] body)
      throws Unreadable, IOException, InterruptedException, SQLException {
    JsonObject event = read(body);
    String id = event.get("id").getAsString();
    String type = event.get("type").getAsString();
    if (event.has("reelbustest") || !List.of("video.ready", "video.failed").contains(type)) {
      System.out.println(type + " " + id + " ignored"); // a test event, or a type newer than this program
      return;
    }
    JsonObject video = event.getAsJsonObject("data");
    String trace = event.has("traceparent") ? event.get("traceparent").getAsString() : null;
    // Slow work comes before the transaction and may be repeated; the addresses expire, so it is not put off.
    String clip = type.equals("video.ready") ? download(id, video, trace) : null;
    boolean isNew = store(id, video, clip, trace);
    System.out.println(type + " " + id + (isNew ? " handled" : " a duplicate"));
  }

  /** Check the Standard Webhooks signature; not its time, for a durable queue may keep an event for days. */
  private static void verify(byte[] body, Map<String, Object> headers) throws Unreadable {
    try {
      byte[] key = Base64.getDecoder().decode(SIGNING_SECRET.replaceFirst("^whsec_", ""));
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      mac.update((header(headers, "webhook-id") + "." + header(headers, "webhook-timestamp") + ".").getBytes());
      byte[] right = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes();
      for (String given : header(headers, "webhook-signature").split(" ")) {
        if (MessageDigest.isEqual(right, given.getBytes())) {
          return;
        }
      }
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
    throw new Unreadable("its signature is missing or wrong");
  }

  private static String header(Map<String, Object> headers, String name) {
    return headers == null ? "" : String.valueOf(headers.get(name));
  }

  private static JsonObject read(byte[] body) throws Unreadable {
    try {
      JsonElement read = JsonParser.parseString(new String(body, StandardCharsets.UTF_8));
      JsonObject event = read.getAsJsonObject();
      if (event.get("specversion").getAsString().equals("1.0") && event.has("id") && event.has("type")) {
        return event;
      }
    } catch (JsonParseException | IllegalStateException | NullPointerException error) {
      throw new Unreadable(error.toString());
    }
    throw new Unreadable("this is no CloudEvents 1.0 event");
  }

  /** Copy the clip to a file of the event's own; the name makes a repetition harmless. */
  private static String download(String id, JsonObject video, String trace)
      throws IOException, InterruptedException {
    String address = video.getAsJsonArray("output_urls").get(0).getAsString();
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address)).timeout(Duration.ofSeconds(60));
    if (trace != null) {
      request.header("traceparent", trace);
    }
    Files.createDirectories(CLIPS);
    Path partial = CLIPS.resolve(id + ".part");
    HttpResponse<Path> response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofFile(partial));
    if (response.statusCode() != 200) {
      throw new IOException("the clip's address answered " + response.statusCode());
    }
    return Files.move(partial, CLIPS.resolve(id + ".mp4"), StandardCopyOption.REPLACE_EXISTING).toString();
  }

  /** Act once: the event's id and what it does are one transaction. Says whether the event was new. */
  private static boolean store(String id, JsonObject video, String clip, String trace) throws SQLException {
    try (java.sql.Connection database = DriverManager.getConnection(DATABASE)) {
      database.setAutoCommit(false);
      boolean isNew = change(database, "INSERT OR IGNORE INTO handled (event_id) VALUES (?)", id) == 1;
      if (isNew) {
        String insert = "INSERT INTO listings (video_id, status, clip, trace) VALUES (?, ?, ?, ?)";
        change(database, insert, video.get("id").getAsString(), video.get("status").getAsString(), clip, trace);
      }
      database.commit();
      return isNew;
    }
  }

  private static void createTables() throws SQLException {
    try (java.sql.Connection database = DriverManager.getConnection(DATABASE)) {
      change(database, "CREATE TABLE IF NOT EXISTS handled (event_id TEXT PRIMARY KEY)");
      change(
          database,
          "CREATE TABLE IF NOT EXISTS listings (video_id TEXT PRIMARY KEY, status TEXT, clip TEXT, trace TEXT)");
    }
  }

  private static int change(java.sql.Connection database, String sql, String... values) throws SQLException {
    try (PreparedStatement statement = database.prepareStatement(sql)) {
      for (int place = 0; place < values.length; place++) {
        statement.setString(place + 1, values[place]);
      }
      return statement.executeUpdate();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(1000);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }

  private static String setting(String name, String fallback) {
    return System.getenv().getOrDefault(name, fallback);
  }
}
