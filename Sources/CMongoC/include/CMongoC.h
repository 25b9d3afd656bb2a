#ifndef CMONGOC_H
#define CMONGOC_H

// The library's own headers, by the places where systems have them; pkg-config would link the library as well: see loader.c.
#if __has_include("/usr/include/libmongoc-1.0/mongoc/mongoc.h")
#include "/usr/include/libmongoc-1.0/mongoc/mongoc.h"
#elif __has_include("/usr/local/include/libmongoc-1.0/mongoc/mongoc.h")
#include "/usr/local/include/libmongoc-1.0/mongoc/mongoc.h"
#else
#error "the headers of libmongoc are missing: apt-get install libmongoc-dev"
#endif

/// Loads libmongoc, before the first call of any of its functions. Safe to call again.
/// - Returns: NULL, or what is wrong, as dlopen(3) and dlsym(3) say it.
const char *ems_mongoc_load(void);

#endif
