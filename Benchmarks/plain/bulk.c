/*
 * Many events at once: the files that Benchmarks/bulk brings in, and what `ems event import` and `ems event export` ask of MongoDB, asked
 * by plain C through the same library.
 *
 *   bulk jsonl|csv ROWS                              writes the events: as `ems event import` reads them, or all columns of the table
 *   bulk URL DATABASE insert ROWS bare|pending       inserts them, by 1,000, without or with the change that is pending
 *   bulk URL DATABASE export                         writes all events of the database, the first created first
 *
 * The event of a number is always the same; only the time of its making differs. The database has its indexes already.
 *
 * Build: cc -O2 -Wall -Wextra bulk.c -o bulk $(pkg-config --cflags --libs libmongoc-1.0) -pthread
 */
#include <mongoc/mongoc.h>
#include <stdbool.h>

#define PROGRAM "bulk"
#include "common.h"
#include "words.h"

enum { batch_size = 1000, tag_kinds = 50, slot = 15 * 60 };

/* ---- The event of a number ---- */

static const char creator[] = "operator:bench";

static const char *const nouns[] = {
  "concert", "workshop", "lecture", "market", "exhibition", "meeting", "festival", "reading", "tour", "seminar", "match", "parade", "film",
  "dinner", "course", "debate"};
static const char *const adjectives[] = {
  "open", "annual", "local", "quiet", "public", "summer", "winter", "evening", "modern", "classical", "joint", "first", "second", "small",
  "large", "free"};
static const char *const streets[] = {
  "Main Street", "Station Road", "Church Lane", "Park Avenue", "Mill Road", "Castle Hill", "Market Square", "River Walk"};
static const char *const halls[] = {"Town Hall", "Library", "Museum", "School", "Theatre", "Arena", "Chapel", "Gallery"};
static const char *const fillers[] = {
  "with", "music", "food", "and", "talks", "for", "everybody", "who", "likes", "people", "art", "science", "history", "games", "children",
  "in", "the", "garden", "on", "stage", "before", "after", "a", "short", "break", "at", "noon", "by", "local", "artists", "from", "abroad"};

#define PICK(list) list[random_next(&random) % (sizeof(list) / sizeof *(list))]

typedef struct {
  char id[33], title[101], description[201], location[101], tags[2][16];
  int64_t start_time, end_time, created_at; /* milliseconds */
  int max_attendees;
  bool has_place;
  int latitude, longitude; /* of a hundred thousandth degree */
} event_t;

static void put_hex(char *text, uint64_t value) {
  for (int index = 0; index < 16; index++) text[index] = "0123456789abcdef"[value >> (60 - 4 * index) & 15];
}

static void make_event(event_t *event, int number, int64_t now) {
  uint64_t random = ((uint64_t)number + 1) * UINT64_C(0x9E3779B97F4A7C15);
  for (int round = 0; round < 4; round++) random_next(&random);

  int64_t slots = INT64_C(365) * 86400 / slot;
  event->start_time = (INT64_C(2208988800) + (int64_t)(random_next(&random) % (uint64_t)slots) * slot) * 1000; /* in 2040 */
  event->end_time = event->start_time + (int64_t)(random_next(&random) % 16 + 1) * slot * 1000;
  event->created_at = now;
  const char *adjective = PICK(adjectives), *noun = PICK(nouns);
  const char *first_theme = PICK(fillers), *second_theme = PICK(fillers);
  int title_number = (int)(random_next(&random) % 10000);
  snprintf(
    event->title, sizeof event->title, "The %s %s no. %d of %s and %s", adjective, noun, title_number, first_theme, second_theme);
  size_t length = (size_t)snprintf(event->description, sizeof event->description, "This %s %s is about", PICK(adjectives), noun);
  while (length < 76)
    length += (size_t)snprintf(event->description + length, sizeof event->description - length, " %s", PICK(fillers));
  snprintf(event->description + length, sizeof event->description - length, ".");
  const char *hall = PICK(halls), *street = PICK(streets);
  int house = (int)(random_next(&random) % 200 + 1);
  snprintf(event->location, sizeof event->location, "%s %s %d", hall, street, house);
  int first = (int)(random_next(&random) % tag_kinds), second = (first + 1 + (int)(random_next(&random) % (tag_kinds - 1))) % tag_kinds;
  snprintf(event->tags[0], sizeof *event->tags, "topic-%d", first);
  snprintf(event->tags[1], sizeof *event->tags, "topic-%d", second);
  event->max_attendees = (int)(random_next(&random) % 500 + 1);
  event->has_place = number % 2 == 0;
  event->latitude = (int)(random_next(&random) % 2400000) + 3600000;
  event->longitude = (int)(random_next(&random) % 4000000) - 1000000;

  /* As EventID(digestOf:at:) of ems makes them, so that they go to the same place of an index. */
  uint64_t moment = (uint64_t)event->start_time << 16;
  put_hex(event->id, moment | 0x8000 | (random_next(&random) & 0xFFF));
  put_hex(event->id + 16, (random_next(&random) >> 2) | UINT64_C(0x8000000000000000));
  event->id[32] = 0;
}

/* ---- Files ---- */

static const char *time_text(char text[static 32], int64_t milliseconds) {
  time_t seconds = (time_t)(milliseconds / 1000);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

static void write_json(const event_t *event) {
  char start[32], end[32];
  printf(
    "{\"title\":\"%s\",\"description\":\"%s\",\"location\":\"%s\",\"start_time\":\"%s\",\"end_time\":\"%s\",\"tags\":[\"%s\",\"%s\"]",
    event->title, event->description, event->location, time_text(start, event->start_time), time_text(end, event->end_time), event->tags[0],
    event->tags[1]);
  if (event->has_place) printf(",\"coordinates\":{\"latitude\":%.5f,\"longitude\":%.5f}", event->latitude / 1e5, event->longitude / 1e5);
  printf(",\"max_attendees\":%d}\n", event->max_attendees);
}

/* id, title, description, location, tags, start_time, end_time, created_by, max_attendees, status, attachment_url, latitude, longitude,
 * created_at, updated_at, version, origin */
static void write_csv(const event_t *event) {
  printf(
    "%s,%s,%s,%s,\"%s,%s\",%lld,%lld,%s,%d,scheduled,,", event->id, event->title, event->description, event->location, event->tags[0],
    event->tags[1], (long long)event->start_time, (long long)event->end_time, creator, event->max_attendees);
  if (event->has_place) printf("%.5f,%.5f", event->latitude / 1e5, event->longitude / 1e5);
  else putchar(',');
  printf(",%lld,%lld,1,\n", (long long)event->created_at, (long long)event->created_at);
}

static void write_file(bool is_csv, int rows) {
  int64_t now = milliseconds_now();
  event_t event;
  for (int number = 0; number < rows; number++) {
    make_event(&event, number, now + number / 10); /* as if made at 10,000 a second */
    if (is_csv) write_csv(&event);
    else write_json(&event);
  }
}

/* ---- Into MongoDB: EventDocument.make ---- */

static void append_fields(bson_t *document, const event_t *event) {
  bson_t array, place;
  BSON_APPEND_UTF8(document, "title", event->title);
  BSON_APPEND_UTF8(document, "description", event->description);
  BSON_APPEND_UTF8(document, "location", event->location);
  BSON_APPEND_DATE_TIME(document, "start_time", event->start_time);
  BSON_APPEND_DATE_TIME(document, "end_time", event->end_time);
  BSON_APPEND_UTF8(document, "created_by", creator);
  BSON_APPEND_ARRAY_BEGIN(document, "tags", &array);
  BSON_APPEND_UTF8(&array, "0", event->tags[0]);
  BSON_APPEND_UTF8(&array, "1", event->tags[1]);
  bson_append_array_end(document, &array);
  BSON_APPEND_INT64(document, "max_attendees", event->max_attendees);
  BSON_APPEND_UTF8(document, "status", "scheduled");
  if (event->has_place) {
    BSON_APPEND_DOCUMENT_BEGIN(document, "place", &place);
    BSON_APPEND_UTF8(&place, "type", "Point");
    BSON_APPEND_ARRAY_BEGIN(&place, "coordinates", &array);
    BSON_APPEND_DOUBLE(&array, "0", event->longitude / 1e5);
    BSON_APPEND_DOUBLE(&array, "1", event->latitude / 1e5);
    bson_append_array_end(&place, &array);
    bson_append_document_end(document, &place);
  }
  BSON_APPEND_DATE_TIME(document, "created_at", event->created_at);
  BSON_APPEND_DATE_TIME(document, "updated_at", event->created_at);
  BSON_APPEND_INT64(document, "version", 1);
}

static void append_pending(bson_t *document, const event_t *event, uint64_t *random) {
  bson_t pending, change, inner;
  char change_id[33];
  make_id(change_id, random);
  BSON_APPEND_ARRAY_BEGIN(document, "pending", &pending);
  BSON_APPEND_DOCUMENT_BEGIN(&pending, "0", &change);
  BSON_APPEND_UTF8(&change, "id", change_id);
  BSON_APPEND_UTF8(&change, "action", "created");
  BSON_APPEND_UTF8(&change, "actor", creator);
  BSON_APPEND_DATE_TIME(&change, "timestamp", milliseconds_now());
  BSON_APPEND_DOCUMENT_BEGIN(&change, "event", &inner);
  BSON_APPEND_UTF8(&inner, "_id", event->id);
  append_fields(&inner, event);
  bson_append_document_end(&change, &inner);
  bson_append_document_end(&pending, &change);
  bson_append_array_end(document, &pending);
  BSON_APPEND_UTF8(document, "pending_since", change_id);
}

static bson_t *make_document(int number, bool is_pending, uint64_t *random) {
  bson_t *document = bson_new();
  event_t event;
  make_event(&event, number, milliseconds_now());
  words_t place = {.count = 0}, all = {.count = 0};
  add_words(&place, event.location);
  add_words(&all, event.title);
  add_words(&all, event.location);
  add_words(&all, event.description);
  add_words(&all, event.tags[0]);
  add_words(&all, event.tags[1]);

  BSON_APPEND_UTF8(document, "_id", event.id);
  append_fields(document, &event);
  append_words(document, "words", &all);
  append_words(document, "location_words", &place);
  if (is_pending) append_pending(document, &event, random);
  return document;
}

static void insert(mongoc_collection_t *events, int rows, bool is_pending) {
  bson_t *documents[batch_size];
  bson_t options = BSON_INITIALIZER;
  bson_error_t error;
  uint64_t random = random_seed();
  BSON_APPEND_BOOL(&options, "ordered", false);
  for (int number = 0; number < rows;) {
    size_t count = 0;
    while (count < batch_size && number < rows) documents[count++] = make_document(number++, is_pending, &random);
    if (!mongoc_collection_insert_many(events, (const bson_t **)documents, count, &options, NULL, &error))
      fail("insert: %s", error.message);
    while (count) bson_destroy(documents[--count]);
  }
  bson_destroy(&options);
}

/* ---- Out of it: EventListing ---- */

/* Without the fields that ems does not show: quicker here than writing them. */
static void export(mongoc_collection_t *events) {
  static const char *const hidden[] = {"words", "location_words", "pending", "pending_since", "idempotency"};
  bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, inner;
  BSON_APPEND_DOCUMENT_BEGIN(&filter, "created_at", &inner);
  BSON_APPEND_DATE_TIME(&inner, "$gte", INT64_MIN);
  bson_append_document_end(&filter, &inner);
  BSON_APPEND_DOCUMENT_BEGIN(&options, "sort", &inner);
  BSON_APPEND_INT64(&inner, "created_at", 1);
  BSON_APPEND_INT64(&inner, "_id", 1);
  bson_append_document_end(&options, &inner);
  BSON_APPEND_UTF8(&options, "hint", "events_created");
  BSON_APPEND_DOCUMENT_BEGIN(&options, "projection", &inner);
  for (size_t index = 0; index < sizeof hidden / sizeof *hidden; index++) BSON_APPEND_INT64(&inner, hidden[index], 0);
  bson_append_document_end(&options, &inner);
  mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(events, &filter, &options, NULL);
  const bson_t *document;
  while (mongoc_cursor_next(cursor, &document)) {
    size_t length;
    char *text = bson_as_relaxed_extended_json(document, &length);
    if (!text) fail("an event is damaged");
    fwrite(text, 1, length, stdout);
    putchar('\n');
    bson_free(text);
  }
  bson_error_t error;
  if (mongoc_cursor_error(cursor, &error)) fail("find: %s", error.message);
  mongoc_cursor_destroy(cursor);
  bson_destroy(&filter);
  bson_destroy(&options);
}

static void with_events(const char *text, const char *database, int rows, bool is_pending) {
  mongoc_log_set_handler(NULL, NULL);
  mongoc_init();
  bson_error_t error;
  mongoc_uri_t *url = mongoc_uri_new_with_error(text, &error);
  if (!url) fail("%s", error.message);
  if (!mongoc_uri_has_option(url, MONGOC_URI_W)) mongoc_uri_set_option_as_utf8(url, MONGOC_URI_W, "majority");
  mongoc_client_t *client = mongoc_client_new_from_uri(url);
  if (!client) fail("no client");
  mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
  mongoc_collection_t *events = mongoc_client_get_collection(client, database, "events");
  if (rows) insert(events, rows, is_pending);
  else export(events);
  mongoc_collection_destroy(events);
  mongoc_client_destroy(client);
  mongoc_uri_destroy(url);
  mongoc_cleanup();
}

int main(int count, char **arguments) {
  bool is_csv = count == 3 && !strcmp(arguments[1], "csv"), is_file = is_csv || (count == 3 && !strcmp(arguments[1], "jsonl"));
  bool is_export = count == 4 && !strcmp(arguments[3], "export");
  bool is_pending = count == 6 && !strcmp(arguments[5], "pending"), is_bare = count == 6 && !strcmp(arguments[5], "bare");
  if (is_file) write_file(is_csv, number(arguments[2], 1));
  else if (is_export) with_events(arguments[1], arguments[2], 0, false);
  else if ((is_pending || is_bare) && !strcmp(arguments[3], "insert"))
    with_events(arguments[1], arguments[2], number(arguments[4], 1), is_pending);
  else {
    fputs("usage: bulk jsonl|csv ROWS\n       bulk URL DATABASE insert ROWS bare|pending\n       bulk URL DATABASE export\n", stderr);
    return 64;
  }
  if (fflush(stdout) || ferror(stdout)) fail("the output cannot be written");
  return 0;
}
