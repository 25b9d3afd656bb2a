/* The words of an event as they stand in its document: SearchWords of ems, for ASCII. Wants common.h and mongoc.h before it. */
#ifndef EMS_BENCHMARKS_WORDS_H
#define EMS_BENCHMARKS_WORDS_H

enum { word_limit = 64, word_length = 64 };

typedef struct {
  char texts[word_limit][word_length + 1];
  int count;
} words_t;

/* Adds the words of a text, in lower case, each once. */
static void add_words(words_t *words, const char *text) {
  while (*text) {
    char word[word_length + 1];
    size_t length = 0;
    for (; (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9'); text++)
      if (length < word_length) word[length++] = (char)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text);
    if (*text) text++;
    word[length] = 0;
    int index = 0;
    while (index < words->count && strcmp(words->texts[index], word)) index++;
    if (!length || index < words->count) continue;
    if (words->count == word_limit) fail("an event has more than %d words", word_limit);
    memcpy(words->texts[words->count++], word, length + 1);
  }
}

static void append_words(bson_t *document, const char *name, const words_t *words) {
  bson_t array;
  bson_append_array_begin(document, name, -1, &array);
  for (int index = 0; index < words->count; index++) {
    char buffer[16];
    const char *key;
    bson_uint32_to_string((uint32_t)index, &key, buffer, sizeof buffer);
    BSON_APPEND_UTF8(&array, key, words->texts[index]);
  }
  bson_append_array_end(document, &array);
}

#endif
