// libmongoc is loaded when it is first wanted, not with the program: its initialisation (OpenSSL, SASL plug-ins) takes some milliseconds,
// which a command that uses no MongoDB must not pay. Each function that we call is a jump to where the library has it; one that is missing
// from the list is told by the linker.
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

#define FUNCTIONS(F) \
    F(bson_destroy) F(bson_get_data) F(bson_new_from_data) \
    F(mongoc_client_command_simple) F(mongoc_client_get_collection) \
    F(mongoc_client_pool_destroy) F(mongoc_client_pool_new_with_error) F(mongoc_client_pool_pop) F(mongoc_client_pool_push) \
    F(mongoc_client_pool_set_error_api) \
    F(mongoc_collection_aggregate) F(mongoc_collection_delete_many) F(mongoc_collection_destroy) \
    F(mongoc_collection_find_and_modify_with_opts) F(mongoc_collection_find_with_opts) F(mongoc_collection_insert_many) \
    F(mongoc_collection_insert_one) F(mongoc_collection_replace_one) F(mongoc_collection_update_many) F(mongoc_collection_update_one) \
    F(mongoc_cursor_destroy) F(mongoc_cursor_error_document) F(mongoc_cursor_next) \
    F(mongoc_find_and_modify_opts_destroy) F(mongoc_find_and_modify_opts_new) F(mongoc_find_and_modify_opts_set_flags) \
    F(mongoc_find_and_modify_opts_set_update) \
    F(mongoc_init) F(mongoc_log_set_handler) F(mongoc_read_prefs_copy) F(mongoc_read_prefs_destroy) F(mongoc_read_prefs_new) \
    F(mongoc_uri_destroy) F(mongoc_uri_get_database) F(mongoc_uri_get_hosts) F(mongoc_uri_get_option_as_int32) \
    F(mongoc_uri_get_read_prefs_t) F(mongoc_uri_has_option) F(mongoc_uri_new_with_error) F(mongoc_uri_set_appname) \
    F(mongoc_uri_set_option_as_int32) F(mongoc_uri_set_option_as_utf8)

#if defined(__x86_64__)
#define JUMP(name) "    jmp *ems_at_" #name "(%rip)\n"
#elif defined(__aarch64__)
#define JUMP(name) \
    "    adrp x16, ems_at_" #name "\n" \
    "    ldr x16, [x16, :lo12:ems_at_" #name "]\n" \
    "    br x16\n"
#else
#error "a jump for this processor is missing"
#endif

#define STUB(name) \
    __attribute__((visibility("hidden"))) void *ems_at_##name; \
    __asm__( \
        ".text\n" \
        ".globl " #name "\n" \
        ".hidden " #name "\n" \
        ".type " #name ", @function\n" \
        #name ":\n" JUMP(name) \
        ".size " #name ", . - " #name "\n" \
        ".previous\n");

FUNCTIONS(STUB)

static const struct {
    const char *name;
    void **place;
} functions[] = {
#define ENTRY(name) {#name, &ems_at_##name},
    FUNCTIONS(ENTRY)
};

// The header would declare what is made here by hand.
const char *ems_mongoc_load(void);

const char *ems_mongoc_load(void) {
    // Its counters in shared memory would outlive a killed process, and complain on stderr where there is none.
    setenv("MONGOC_DISABLE_SHM", "1", 0);
    // RTLD_GLOBAL: the library's own plug-ins look for it.
    void *library = dlopen("libmongoc-1.0.so.0", RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) return dlerror();
    for (size_t index = 0; index < sizeof functions / sizeof functions[0]; index++) {
        void *function = dlsym(library, functions[index].name);
        if (function == NULL) return dlerror();
        *functions[index].place = function;
    }
    return NULL;
}
