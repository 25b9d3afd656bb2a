/* What both programs need: failing, the time, and ids like those of ems. PROGRAM is the name to fail under. */
#ifndef EMS_BENCHMARKS_COMMON_H
#define EMS_BENCHMARKS_COMMON_H

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

__attribute__((noreturn, format(printf, 1, 2))) static inline void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs(PROGRAM ": ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(1);
}

static inline int number(const char *text, int least) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno || end == text || *end || value < least || value > 100000000) fail("%s is no number from %d on", text, least);
  return (int)value;
}

static inline double seconds_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline int64_t milliseconds_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* xorshift64*: each thread has a state of its own. */
static inline uint64_t random_next(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static inline uint64_t random_seed(void) {
  uint64_t seed;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) fail("no random numbers");
  return seed | 1;
}

static pthread_mutex_t id_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t id_milliseconds, id_counter;

/* UUID version 7 (RFC 9562, section 5.7): ordered by time, so that they go to the same place of an index as those of ems. */
static inline void make_id(char text[static 33], uint64_t *random) {
  uint64_t now = (uint64_t)milliseconds_now();
  uint64_t fresh = random_next(random) & 0x7FF;
  pthread_mutex_lock(&id_lock);
  if (now > id_milliseconds) {
    id_milliseconds = now;
    id_counter = fresh;
  } else if (++id_counter > 0xFFF) {
    id_milliseconds++;
    id_counter = 0;
  }
  uint64_t high = (id_milliseconds << 16) | 0x7000 | id_counter;
  pthread_mutex_unlock(&id_lock);
  uint64_t low = (random_next(random) >> 2) | UINT64_C(0x8000000000000000);
  for (int index = 0; index < 16; index++) {
    text[index] = "0123456789abcdef"[high >> (60 - 4 * index) & 15];
    text[16 + index] = "0123456789abcdef"[low >> (60 - 4 * index) & 15];
  }
  text[32] = 0;
}

#endif
