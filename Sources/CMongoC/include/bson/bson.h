// What the headers of libmongoc include as <bson/bson.h>.
#if __has_include("/usr/include/libbson-1.0/bson/bson.h")
#include "/usr/include/libbson-1.0/bson/bson.h"
#else
#include "/usr/local/include/libbson-1.0/bson/bson.h"
#endif
