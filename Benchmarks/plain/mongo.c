/*
 * What the event store of ems asks of MongoDB, asked by plain C through the same library: the bar for Benchmarks/servers.
 *
 *   mongo URL DATABASE read|page|insert|bulk CALLERS SECONDS   prints `ops N` for each second, after one to warm up
 *   mongo URL DATABASE drop                                    removes the database
 *   mongo URL DATABASE version                                 prints the versions of server and library
 *
 * Each caller is a thread that keeps its client and its collection. The database has events and indexes already.
 *
 * Build: cc -O2 -Wall -Wextra mongo.c -o mongo $(pkg-config --cflags --libs libmongoc-1.0) -pthread
 */
#include <mongoc/mongoc.h>
#include <stdatomic.h>
#include <stdbool.h>

#define PROGRAM "mongo"
#include "common.h"
#include "words.h"

enum { id_limit = 10000, page_size = 10, bulk_size = 500, depth_limit = 10000, tag_limit = 32 };

static const char *database;
static char (*ids)[33];
static int id_count;
static atomic_bool is_over;

typedef struct {
  _Alignas(64) atomic_long done;
  pthread_t thread;
  mongoc_client_t *client;
  mongoc_collection_t *events;
  const mongoc_read_prefs_t *url_preference;
  mongoc_read_prefs_t *primary;
  uint64_t random;
  int (*work)(void *);
} caller_t;

/* ---- Reading: MongoEventStore.event(id:), EventListing ---- */

typedef struct {
  const char *id, *title, *description, *location, *created_by, *status, *attachment_url;
  const char *tags[tag_limit];
  int tag_count;
  int64_t start_time, end_time, created_at, updated_at, max_attendees, version;
  bool has_max_attendees, has_place;
  double longitude, latitude;
} event_t;

static bool decode_tags(const bson_iter_t *field, event_t *event) {
  bson_iter_t element;
  if (!BSON_ITER_HOLDS_ARRAY(field) || !bson_iter_recurse(field, &element)) return false;
  while (bson_iter_next(&element)) {
    if (!BSON_ITER_HOLDS_UTF8(&element) || event->tag_count == tag_limit) return false;
    event->tags[event->tag_count++] = bson_iter_utf8(&element, NULL);
  }
  return true;
}

static bool decode_place(const bson_iter_t *field, event_t *event) {
  bson_iter_t place, numbers;
  if (!BSON_ITER_HOLDS_DOCUMENT(field) || !bson_iter_recurse(field, &place)) return false;
  if (!bson_iter_find(&place, "coordinates") || !bson_iter_recurse(&place, &numbers)) return false;
  if (!bson_iter_next(&numbers)) return false;
  event->longitude = bson_iter_as_double(&numbers);
  if (!bson_iter_next(&numbers)) return false;
  event->latitude = bson_iter_as_double(&numbers);
  return event->has_place = true;
}

/* The texts belong to the document. */
static bool decode(const bson_t *document, event_t *event) {
  memset(event, 0, sizeof *event);
  bson_iter_t field;
  if (!bson_iter_init(&field, document)) return false;
  while (bson_iter_next(&field)) {
    const char *name = bson_iter_key(&field);
    switch (bson_iter_type(&field)) {
    case BSON_TYPE_UTF8: {
      const char *text = bson_iter_utf8(&field, NULL);
      if (!strcmp(name, "_id")) event->id = text;
      else if (!strcmp(name, "title")) event->title = text;
      else if (!strcmp(name, "description")) event->description = text;
      else if (!strcmp(name, "location")) event->location = text;
      else if (!strcmp(name, "created_by")) event->created_by = text;
      else if (!strcmp(name, "status")) event->status = text;
      else if (!strcmp(name, "attachment_url")) event->attachment_url = text;
      break;
    }
    case BSON_TYPE_DATE_TIME: {
      int64_t moment = bson_iter_date_time(&field);
      if (!strcmp(name, "start_time")) event->start_time = moment;
      else if (!strcmp(name, "end_time")) event->end_time = moment;
      else if (!strcmp(name, "created_at")) event->created_at = moment;
      else if (!strcmp(name, "updated_at")) event->updated_at = moment;
      break;
    }
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
      if (!strcmp(name, "version")) event->version = bson_iter_as_int64(&field);
      else if (!strcmp(name, "max_attendees")) {
        event->max_attendees = bson_iter_as_int64(&field);
        event->has_max_attendees = true;
      }
      break;
    case BSON_TYPE_ARRAY:
      if (!strcmp(name, "tags") && !decode_tags(&field, event)) return false;
      break;
    case BSON_TYPE_DOCUMENT:
      if (!strcmp(name, "place") && !decode_place(&field, event)) return false;
      break;
    default: break;
    }
  }
  return event->id && event->title && event->description && event->location && event->created_by && event->status && event->start_time
    && event->end_time && event->created_at && event->updated_at && event->version;
}

/* Runs a query and decodes what comes. Returns how many events there were. */
static int find(
  caller_t *caller, const bson_t *filter, const bson_t *options, const mongoc_read_prefs_t *preference, const char *expected) {
  mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(caller->events, filter, options, preference);
  const bson_t *document;
  event_t event;
  int count = 0;
  while (mongoc_cursor_next(cursor, &document)) {
    if (!decode(document, &event)) fail("an event is damaged");
    if (expected && strcmp(event.id, expected)) fail("another event came");
    count++;
  }
  bson_error_t error;
  if (mongoc_cursor_error(cursor, &error)) fail("find: %s", error.message);
  mongoc_cursor_destroy(cursor);
  return count;
}

static int read_event(void *context) {
  caller_t *caller = context;
  const char *id = ids[random_next(&caller->random) % (uint64_t)id_count];
  bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
  BSON_APPEND_UTF8(&filter, "_id", id);
  BSON_APPEND_INT64(&options, "limit", 1);
  BSON_APPEND_BOOL(&options, "singleBatch", true);
  if (find(caller, &filter, &options, caller->primary, id) != 1) fail("an event is gone");
  bson_destroy(&filter);
  bson_destroy(&options);
  return 1;
}

static int64_t run_count(caller_t *caller, const bson_t *command) {
  bson_t reply;
  bson_error_t error;
  bson_iter_t field;
  if (!mongoc_client_command_simple(caller->client, database, command, caller->url_preference, &reply, &error))
    fail("count: %s", error.message);
  if (!bson_iter_init_find(&field, &reply, "n")) fail("count: no number");
  int64_t count = bson_iter_as_int64(&field);
  bson_destroy(&reply);
  return count;
}

static int read_page(void *context) {
  caller_t *caller = context;
  bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, inner;
  BSON_APPEND_DOCUMENT_BEGIN(&filter, "start_time", &inner);
  BSON_APPEND_DATE_TIME(&inner, "$gte", INT64_MIN);
  bson_append_document_end(&filter, &inner);
  BSON_APPEND_DOCUMENT_BEGIN(&options, "sort", &inner);
  BSON_APPEND_INT64(&inner, "start_time", 1);
  BSON_APPEND_INT64(&inner, "_id", 1);
  bson_append_document_end(&options, &inner);
  BSON_APPEND_INT64(&options, "limit", page_size + 1);
  BSON_APPEND_INT64(&options, "skip", 0);
  BSON_APPEND_UTF8(&options, "hint", "events_start");
  if (find(caller, &filter, &options, caller->url_preference, NULL) != page_size + 1) fail("there are no more than %d events", page_size);
  bson_destroy(&filter);
  bson_destroy(&options);

  bson_t recorded = BSON_INITIALIZER, buried = BSON_INITIALIZER;
  BSON_APPEND_UTF8(&recorded, "count", "events");
  BSON_APPEND_UTF8(&buried, "count", "events");
  BSON_APPEND_DOCUMENT_BEGIN(&buried, "query", &inner);
  BSON_APPEND_BOOL(&inner, "is_deleted", true);
  bson_append_document_end(&buried, &inner);
  BSON_APPEND_INT64(&buried, "limit", depth_limit);
  BSON_APPEND_UTF8(&buried, "hint", "events_tombstones");
  if (run_count(caller, &recorded) - run_count(caller, &buried) < page_size) fail("the counts are wrong");
  bson_destroy(&recorded);
  bson_destroy(&buried);
  return 1;
}

static void read_ids(caller_t *caller) {
  ids = calloc(id_limit, sizeof *ids);
  bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, projection;
  BSON_APPEND_DOCUMENT_BEGIN(&options, "projection", &projection);
  BSON_APPEND_INT64(&projection, "_id", 1);
  bson_append_document_end(&options, &projection);
  BSON_APPEND_INT64(&options, "limit", id_limit);
  mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(caller->events, &filter, &options, caller->primary);
  const bson_t *document;
  bson_iter_t field;
  while (ids && id_count < id_limit && mongoc_cursor_next(cursor, &document))
    if (bson_iter_init_find(&field, document, "_id") && BSON_ITER_HOLDS_UTF8(&field))
      snprintf(ids[id_count++], sizeof *ids, "%s", bson_iter_utf8(&field, NULL));
  bson_error_t error;
  if (mongoc_cursor_error(cursor, &error)) fail("find: %s", error.message);
  mongoc_cursor_destroy(cursor);
  bson_destroy(&filter);
  bson_destroy(&options);
  if (!id_count) fail("the database holds no events");
}

/* ---- Writing: EventDocument.make ---- */

typedef struct {
  char id[33], title[32];
  int64_t now;
} draft_t;

static const char description[] = "An evening with talks, music and food for everybody who likes to meet other people.";
static const char location[] = "Town Hall, Main Street 1";
static const char *const tags[] = {"music", "talks"};

static void append_fields(bson_t *document, const draft_t *event) {
  int64_t start = event->now + INT64_C(30) * 86400 * 1000;
  bson_t array;
  BSON_APPEND_UTF8(document, "title", event->title);
  BSON_APPEND_UTF8(document, "description", description);
  BSON_APPEND_UTF8(document, "location", location);
  BSON_APPEND_DATE_TIME(document, "start_time", start);
  BSON_APPEND_DATE_TIME(document, "end_time", start + 7200 * 1000);
  BSON_APPEND_UTF8(document, "created_by", "operator:bench");
  BSON_APPEND_ARRAY_BEGIN(document, "tags", &array);
  BSON_APPEND_UTF8(&array, "0", tags[0]);
  BSON_APPEND_UTF8(&array, "1", tags[1]);
  bson_append_array_end(document, &array);
  BSON_APPEND_UTF8(document, "status", "scheduled");
  BSON_APPEND_DATE_TIME(document, "created_at", event->now);
  BSON_APPEND_DATE_TIME(document, "updated_at", event->now);
  BSON_APPEND_INT64(document, "version", 1);
}

static void append_event(bson_t *document, int title, uint64_t *random) {
  draft_t event = {.now = milliseconds_now()};
  char change_id[33];
  make_id(event.id, random);
  make_id(change_id, random);
  snprintf(event.title, sizeof event.title, "Event %d", title);

  words_t place = {.count = 0}, all = {.count = 0};
  add_words(&place, location);
  add_words(&all, event.title);
  add_words(&all, location);
  add_words(&all, description);
  add_words(&all, tags[0]);
  add_words(&all, tags[1]);

  bson_t pending, change, inner;
  BSON_APPEND_UTF8(document, "_id", event.id);
  append_fields(document, &event);
  append_words(document, "words", &all);
  append_words(document, "location_words", &place);
  BSON_APPEND_ARRAY_BEGIN(document, "pending", &pending);
  BSON_APPEND_DOCUMENT_BEGIN(&pending, "0", &change);
  BSON_APPEND_UTF8(&change, "id", change_id);
  BSON_APPEND_UTF8(&change, "action", "created");
  BSON_APPEND_UTF8(&change, "actor", "operator:bench");
  BSON_APPEND_DATE_TIME(&change, "timestamp", milliseconds_now());
  BSON_APPEND_DOCUMENT_BEGIN(&change, "event", &inner);
  BSON_APPEND_UTF8(&inner, "_id", event.id);
  append_fields(&inner, &event);
  bson_append_document_end(&change, &inner);
  bson_append_document_end(&pending, &change);
  bson_append_array_end(document, &pending);
  BSON_APPEND_UTF8(document, "pending_since", change_id);
}

static int insert_event(void *context) {
  caller_t *caller = context;
  bson_t document = BSON_INITIALIZER;
  bson_error_t error;
  append_event(&document, (int)(random_next(&caller->random) % 1000000), &caller->random);
  if (!mongoc_collection_insert_one(caller->events, &document, NULL, NULL, &error)) fail("insert: %s", error.message);
  bson_destroy(&document);
  return 1;
}

static int insert_bulk(void *context) {
  caller_t *caller = context;
  bson_t *documents[bulk_size];
  bson_t options = BSON_INITIALIZER;
  bson_error_t error;
  BSON_APPEND_BOOL(&options, "ordered", false);
  for (int index = 0; index < bulk_size; index++) append_event(documents[index] = bson_new(), index, &caller->random);
  if (!mongoc_collection_insert_many(caller->events, (const bson_t **)documents, bulk_size, &options, NULL, &error))
    fail("insert: %s", error.message);
  for (int index = 0; index < bulk_size; index++) bson_destroy(documents[index]);
  bson_destroy(&options);
  return bulk_size;
}

/* ---- The run ---- */

static void *run_caller(void *context) {
  caller_t *caller = context;
  while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
    int done = caller->work(caller);
    atomic_fetch_add_explicit(&caller->done, done, memory_order_relaxed);
  }
  return NULL;
}

static long total(caller_t *callers, int count) {
  long sum = 0;
  for (int index = 0; index < count; index++) sum += atomic_load_explicit(&callers[index].done, memory_order_relaxed);
  return sum;
}

static void rest(double seconds) {
  struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
  while (nanosleep(&time, &time) && errno == EINTR) {}
}

static void measure(mongoc_client_pool_t *pool, const char *operation, int count, int seconds) {
  static const struct {
    const char *name;
    int (*work)(void *);
  } operations[] = {{"read", read_event}, {"page", read_page}, {"insert", insert_event}, {"bulk", insert_bulk}};
  int (*work)(void *) = NULL;
  for (size_t index = 0; index < sizeof operations / sizeof *operations; index++)
    if (!strcmp(operation, operations[index].name)) work = operations[index].work;
  if (!work) fail("%s is no operation: read, page, insert, bulk", operation);

  caller_t *callers = aligned_alloc(64, sizeof *callers * (size_t)count);
  if (!callers) fail("no memory");
  memset(callers, 0, sizeof *callers * (size_t)count);
  for (int index = 0; index < count; index++) {
    caller_t *caller = &callers[index];
    caller->client = mongoc_client_pool_pop(pool);
    caller->events = mongoc_client_get_collection(caller->client, database, "events");
    caller->url_preference = mongoc_client_get_read_prefs(caller->client);
    caller->primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
    caller->random = random_seed();
    caller->work = work;
  }
  if (work == read_event) read_ids(&callers[0]);
  for (int index = 0; index < count; index++)
    if (pthread_create(&callers[index].thread, NULL, run_caller, &callers[index])) fail("no thread");

  rest(1);
  for (int second = 0; second < seconds; second++) {
    long before = total(callers, count);
    double start = seconds_now();
    rest(1);
    printf("ops %.0f\n", (double)(total(callers, count) - before) / (seconds_now() - start));
  }
  atomic_store(&is_over, true);
  for (int index = 0; index < count; index++) {
    caller_t *caller = &callers[index];
    pthread_join(caller->thread, NULL);
    mongoc_read_prefs_destroy(caller->primary);
    mongoc_collection_destroy(caller->events);
    mongoc_client_pool_push(pool, caller->client);
  }
  free(callers);
  free(ids);
}

static void drop(mongoc_client_t *client) {
  mongoc_database_t *handle = mongoc_client_get_database(client, database);
  bson_error_t error;
  if (!mongoc_database_drop(handle, &error)) fail("drop: %s", error.message);
  mongoc_database_destroy(handle);
}

static void print_versions(mongoc_client_t *client) {
  bson_t command = BSON_INITIALIZER, reply;
  bson_error_t error;
  bson_iter_t field;
  BSON_APPEND_INT32(&command, "buildInfo", 1);
  if (!mongoc_client_command_simple(client, "admin", &command, NULL, &reply, &error)) fail("buildInfo: %s", error.message);
  printf(
    "MongoDB %s, libmongoc %s\n", bson_iter_init_find(&field, &reply, "version") ? bson_iter_utf8(&field, NULL) : "?",
    mongoc_get_version());
  bson_destroy(&command);
  bson_destroy(&reply);
}

int main(int count, char **arguments) {
  bool is_drop = count == 4 && !strcmp(arguments[3], "drop"), is_version = count == 4 && !strcmp(arguments[3], "version");
  if (count != 6 && !is_drop && !is_version) {
    fputs("usage: mongo URL DATABASE read|page|insert|bulk CALLERS SECONDS\n       mongo URL DATABASE drop|version\n", stderr);
    return 64;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  mongoc_log_set_handler(NULL, NULL);
  mongoc_init();
  database = arguments[2];
  bson_error_t error;
  mongoc_uri_t *url = mongoc_uri_new_with_error(arguments[1], &error);
  if (!url) fail("%s", error.message);
  mongoc_client_pool_t *pool = mongoc_client_pool_new(url);
  if (!pool) fail("no pool");
  mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
  if (count == 6) {
    int callers = number(arguments[4], 1);
    mongoc_client_pool_max_size(pool, (uint32_t)callers);
    measure(pool, arguments[3], callers, number(arguments[5], 1));
  } else {
    mongoc_client_t *client = mongoc_client_pool_pop(pool);
    if (is_drop) drop(client);
    else print_versions(client);
    mongoc_client_pool_push(pool, client);
  }
  mongoc_client_pool_destroy(pool);
  mongoc_uri_destroy(url);
  mongoc_cleanup();
  return 0;
}
