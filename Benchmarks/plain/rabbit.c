/*
 * What the publisher of ems asks of RabbitMQ, asked by plain C through the same library: the bar for Benchmarks/servers.
 *
 *   rabbit URL EXCHANGE QUEUE WINDOW SECONDS   publishes WINDOW messages, waits for all confirms, again and again; prints `ops N` for
 *                                              each second, after one to warm up. With 0 seconds it only declares and purges.
 *   rabbit URL EXCHANGE QUEUE delete           deletes what was declared
 *   rabbit URL version                         prints the versions of server and library
 *
 * The queue is purged before and after, not in between: it grows in a run as it does in one of ems. As there, the messages of a window
 * are made once.
 *
 * Build: cc -O2 -Wall -Wextra rabbit.c -o rabbit $(pkg-config --cflags --libs librabbitmq) -pthread
 */
#include <stdbool.h>
#include <sys/time.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#define PROGRAM "rabbit"
#include "common.h"

enum { channel = 1, frame_bytes = 131072, heartbeat = 10, patience = 10 };

static amqp_connection_state_t connection;

static void check(int status, const char *what) {
  if (status != AMQP_STATUS_OK) fail("%s: %s", what, amqp_error_string2(status));
}

static void check_reply(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) check(reply.library_error, what);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    amqp_channel_close_t *close = reply.reply.decoded;
    fail("%s: %d %.*s", what, close->reply_code, (int)close->reply_text.len, (char *)close->reply_text.bytes);
  }
  fail("%s: refused", what);
}

static void check_last(const char *what) { check_reply(amqp_get_rpc_reply(connection), what); }

static void connect_to(const char *url) {
  char *copy = strdup(url);
  if (!copy) fail("no memory");
  copy[strcspn(copy, "?")] = 0;
  struct amqp_connection_info info;
  check(amqp_parse_url(copy, &info), "the URL");
  if (info.ssl) fail("no TLS here");
  connection = amqp_new_connection();
  struct timeval time = {.tv_sec = patience};
  amqp_set_rpc_timeout(connection, &time);
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  if (!socket) fail("no socket");
  check(amqp_socket_open_noblock(socket, info.host, info.port, &time), "connecting");
  const char *host = *info.vhost ? info.vhost : "/";
  check_reply(
    amqp_login(connection, host, 0, frame_bytes, heartbeat, AMQP_SASL_METHOD_PLAIN, info.user, info.password), "logging in");
  amqp_channel_open(connection, channel);
  check_last("opening a channel");
  free(copy);
}

static void disconnect(void) {
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
}

/* ---- Topology.swift ---- */

typedef struct {
  char exchange[256], live_exchange[264], queue[256], dead_queue[264];
} topology_t;

static topology_t make_topology(const char *exchange, const char *queue) {
  topology_t topology;
  if (strlen(exchange) > 250 || strlen(queue) > 250) fail("the names are too long");
  snprintf(topology.exchange, sizeof topology.exchange, "%s", exchange);
  snprintf(topology.live_exchange, sizeof topology.live_exchange, "%s", exchange);
  if (strcmp(exchange, "ems.changes")) strcat(topology.live_exchange, ".live");
  else strcpy(topology.live_exchange, "ems.live");
  snprintf(topology.queue, sizeof topology.queue, "%s", queue);
  snprintf(topology.dead_queue, sizeof topology.dead_queue, "%s.dead", queue);
  return topology;
}

static amqp_table_entry_t text_argument(const char *name, const char *text) {
  return (amqp_table_entry_t){
    .key = amqp_cstring_bytes(name), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text)}};
}

static amqp_table_entry_t number_argument(const char *name, int64_t number) {
  return (amqp_table_entry_t){.key = amqp_cstring_bytes(name), .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = number}};
}

static void declare(const topology_t *topology) {
  amqp_bytes_t exchange = amqp_cstring_bytes(topology->exchange), live = amqp_cstring_bytes(topology->live_exchange);
  amqp_bytes_t queue = amqp_cstring_bytes(topology->queue), dead = amqp_cstring_bytes(topology->dead_queue);
  amqp_exchange_declare(connection, channel, exchange, amqp_cstring_bytes("topic"), 0, 1, 0, 0, amqp_empty_table);
  check_last("declaring the exchange");
  amqp_exchange_declare(connection, channel, live, amqp_cstring_bytes("fanout"), 0, 1, 0, 0, amqp_empty_table);
  check_last("declaring the live exchange");
  amqp_table_entry_t dead_arguments[] = {text_argument("x-queue-type", "quorum"), number_argument("x-delivery-limit", 1000000000)};
  amqp_queue_declare(connection, channel, dead, 0, 1, 0, 0, (amqp_table_t){.num_entries = 2, .entries = dead_arguments});
  check_last("declaring the dead queue");
  amqp_table_entry_t arguments[] = {
    text_argument("x-queue-type", "quorum"), text_argument("x-dead-letter-exchange", ""),
    text_argument("x-dead-letter-routing-key", topology->dead_queue), text_argument("x-dead-letter-strategy", "at-least-once"),
    text_argument("x-overflow", "reject-publish"), number_argument("x-delivery-limit", 20),
  };
  amqp_queue_declare(
    connection, channel, queue, 0, 1, 0, 0, (amqp_table_t){.num_entries = sizeof arguments / sizeof *arguments, .entries = arguments});
  check_last("declaring the queue");
  amqp_queue_bind(connection, channel, queue, exchange, amqp_cstring_bytes("event.*"), amqp_empty_table);
  check_last("binding the queue");
}

static void purge(const topology_t *topology) {
  amqp_queue_purge(connection, channel, amqp_cstring_bytes(topology->queue));
  check_last("purging the queue");
}

static void delete(const topology_t *topology) {
  amqp_queue_delete(connection, channel, amqp_cstring_bytes(topology->queue), 0, 0);
  check_last("deleting the queue");
  amqp_queue_delete(connection, channel, amqp_cstring_bytes(topology->dead_queue), 0, 0);
  check_last("deleting the dead queue");
  amqp_exchange_delete(connection, channel, amqp_cstring_bytes(topology->exchange), 0);
  check_last("deleting the exchange");
  amqp_exchange_delete(connection, channel, amqp_cstring_bytes(topology->live_exchange), 0);
  check_last("deleting the live exchange");
}

/* ---- Publishing: Change.encode, AMQPClient.publish ---- */

typedef struct {
  char id[33], trace[64], body[1024];
} message_t;

static void write_time(char text[static 32], int64_t moment) {
  time_t seconds = (time_t)(moment / 1000);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  size_t length = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, 32 - length, ".%03dZ", (int)(moment % 1000));
}

static void make_message(message_t *message, int title, uint64_t *random) {
  int64_t now = milliseconds_now(), start_moment = now + INT64_C(30) * 86400 * 1000;
  char event[33], moment[32], start[32], end[32];
  make_id(event, random);
  make_id(message->id, random);
  write_time(moment, now);
  write_time(start, start_moment);
  write_time(end, start_moment + 7200 * 1000);
  snprintf(message->trace, sizeof message->trace, "00-%s-%s-01", message->id, message->id + 16);
  snprintf(
    message->body, sizeof message->body,
    "{\"type\":\"event\",\"action\":\"created\",\"actor\":\"operator:bench\",\"timestamp\":\"%s\",\"data\":{\"event_id\":\"%s\","
    "\"title\":\"Event %d\",\"description\":\"An evening with talks, music and food for everybody who likes to meet other people.\","
    "\"location\":\"Town Hall, Main Street 1\",\"start_time\":\"%s\",\"end_time\":\"%s\",\"created_by\":\"operator:bench\","
    "\"tags\":[\"music\",\"talks\"],\"max_attendees\":null,\"status\":\"scheduled\",\"attachment_url\":null,\"coordinates\":null,"
    "\"created_at\":\"%s\",\"updated_at\":\"%s\",\"version\":1}}",
    moment, event, title, start, end, moment, moment);
}

static void publish(const topology_t *topology, const message_t *message) {
  amqp_table_entry_t header = text_argument("traceparent", message->trace);
  amqp_basic_properties_t properties = {
    ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG
      | AMQP_BASIC_HEADERS_FLAG,
    .content_type = amqp_cstring_bytes("application/json"), .delivery_mode = AMQP_DELIVERY_PERSISTENT,
    .message_id = amqp_cstring_bytes(message->id), .type = amqp_cstring_bytes("event"),
    .headers = {.num_entries = 1, .entries = &header},
  };
  check(
    amqp_basic_publish(
      connection, channel, amqp_cstring_bytes(topology->exchange), amqp_cstring_bytes("event.created"), 1, 0, &properties,
      amqp_cstring_bytes(message->body)),
    "publishing");
}

typedef struct {
  /* The server counts from 1. `first` is the tag of the window's first message. */
  uint64_t first;
  int window, open;
  bool *is_confirmed;
  long errors;
} ledger_t;

/* Returns how many messages this settles. */
static int confirm(ledger_t *ledger, uint64_t tag, bool is_multiple) {
  if (tag < ledger->first || tag >= ledger->first + (uint64_t)ledger->window) fail("a confirm for what is not on its way");
  int last = (int)(tag - ledger->first), count = 0;
  for (int index = is_multiple ? 0 : last; index <= last; index++) {
    count += !ledger->is_confirmed[index];
    ledger->is_confirmed[index] = true;
  }
  ledger->open -= count;
  return count;
}

/* Reads one frame. Returns how many messages were confirmed. */
static int attend(ledger_t *ledger) {
  amqp_frame_t frame;
  struct timeval time = {.tv_sec = patience};
  check(amqp_simple_wait_frame_noblock(connection, &frame, &time), "waiting for confirms");
  if (frame.frame_type != AMQP_FRAME_METHOD) return 0;
  switch (frame.payload.method.id) {
  case AMQP_BASIC_ACK_METHOD: {
    amqp_basic_ack_t *ack = frame.payload.method.decoded;
    return confirm(ledger, ack->delivery_tag, ack->multiple);
  }
  case AMQP_BASIC_NACK_METHOD: {
    amqp_basic_nack_t *nack = frame.payload.method.decoded;
    ledger->errors += confirm(ledger, nack->delivery_tag, nack->multiple);
    return 0;
  }
  case AMQP_BASIC_RETURN_METHOD: {
    amqp_message_t message;
    check_reply(amqp_read_message(connection, channel, &message, 0), "reading what came back");
    amqp_destroy_message(&message);
    ledger->errors++;
    return 0;
  }
  case AMQP_CHANNEL_CLOSE_METHOD: fail("the server closed the channel");
  case AMQP_CONNECTION_CLOSE_METHOD: fail("the server closed the connection");
  default: return 0;
  }
}

static void measure(const topology_t *topology, int window, int seconds) {
  amqp_confirm_select(connection, channel);
  check_last("asking for confirms");
  message_t *messages = calloc((size_t)window, sizeof *messages);
  ledger_t ledger = {.first = 1, .window = window, .is_confirmed = calloc((size_t)window, sizeof(bool))};
  if (!messages || !ledger.is_confirmed) fail("no memory");
  uint64_t random = random_seed();
  for (int index = 0; index < window; index++) make_message(&messages[index], index, &random);

  double start = seconds_now();
  long done = 0;
  int second = -1; /* the first warms up */
  while (second < seconds) {
    for (int index = 0; index < window; index++) publish(topology, &messages[index]);
    ledger.open = window;
    for (int index = 0; index < window; index++) ledger.is_confirmed[index] = false;
    while (ledger.open > 0) done += attend(&ledger);
    ledger.first += (uint64_t)window;
    amqp_maybe_release_buffers(connection);
    double elapsed = seconds_now() - start;
    if (elapsed >= 1) {
      if (second >= 0) printf("ops %.0f\n", (double)done / elapsed);
      start += elapsed;
      done = 0;
      second++;
    }
  }
  free(messages);
  free(ledger.is_confirmed);
  if (ledger.errors) fail("%ld messages were refused or came back", ledger.errors);
}

static void print_versions(void) {
  const amqp_table_t *properties = amqp_get_server_properties(connection);
  amqp_table_entry_t *version = NULL;
  for (int index = 0; properties && index < properties->num_entries; index++) {
    amqp_bytes_t key = properties->entries[index].key;
    if (key.len == 7 && !memcmp(key.bytes, "version", 7)) version = &properties->entries[index];
  }
  amqp_bytes_t text = version ? version->value.value.bytes : amqp_cstring_bytes("?");
  printf("RabbitMQ %.*s, librabbitmq %s\n", (int)text.len, (char *)text.bytes, amqp_version());
}

int main(int count, char **arguments) {
  bool is_delete = count == 5 && !strcmp(arguments[4], "delete"), is_version = count == 3 && !strcmp(arguments[2], "version");
  if (count != 6 && !is_delete && !is_version) {
    fputs("usage: rabbit URL EXCHANGE QUEUE WINDOW SECONDS\n       rabbit URL EXCHANGE QUEUE delete\n       rabbit URL version\n", stderr);
    return 64;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  int window = count == 6 ? number(arguments[4], 1) : 0, seconds = count == 6 ? number(arguments[5], 0) : 0;
  connect_to(arguments[1]);
  if (is_version) {
    print_versions();
  } else {
    topology_t topology = make_topology(arguments[2], arguments[3]);
    if (is_delete) {
      delete(&topology);
    } else {
      declare(&topology);
      purge(&topology);
      if (seconds > 0) {
        measure(&topology, window, seconds);
        purge(&topology);
      }
    }
  }
  disconnect();
  return 0;
}
