#include "CReadline.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

// What we use of the library, found when it is loaded.
static struct {
    void (*add_history)(const char *);
    int (*read_history)(const char *);
    int (*append_history)(int, const char *);
    int (*history_truncate_file)(const char *, int);
    int (*history_expand)(char *, char **);
    void (*using_history)(void);
    char **(*completion_matches)(const char *, rl_compentry_func_t *);
    void (*callback_handler_install)(const char *, rl_vcpfunc_t *);
    void (*callback_read_char)(void);
    void (*callback_handler_remove)(void);
    void (*cleanup_after_signal)(void);
    void (*free_line_state)(void);
    char **line_buffer;
    const char **readline_name;
    int *catch_signals;
    int *attempted_completion_over;
    const char **completer_word_break_characters;
    const char **completer_quote_characters;
    rl_completion_func_t **attempted_completion_function;
    int *history_quotes_inhibit_expansion;
} rl;

static ems_completer completer;
static char **candidates;
static char *finished;
static int has_finished;
// Ctrl-C may reach any thread: it is passed on to the one that waits for a key.
static int interrupts[2] = {-1, -1};

void ems_readline_set_completer(ems_completer new_completer) { completer = new_completer; }

static char *next_candidate(const char *word, int state) {
    static int index;
    (void)word;
    if (state == 0) index = 0;
    return candidates == NULL || candidates[index] == NULL ? NULL : candidates[index++];
}

static char **complete(const char *word, int start, int end) {
    (void)end;
    // Never the names of files by itself: the completer says when they are meant.
    *rl.attempted_completion_over = 1;
    if (completer == NULL) return NULL;
    candidates = completer(*rl.line_buffer, start, word);
    if (candidates == NULL) return NULL;
    if (candidates[0] != NULL && strcmp(candidates[0], "\x01" "files") == 0) {
        free(candidates[0]);
        free(candidates);
        candidates = NULL;
        *rl.attempted_completion_over = 0;
        return NULL;
    }
    char **matches = rl.completion_matches(word, next_candidate);
    free(candidates);
    candidates = NULL;
    return matches;
}

const char *ems_readline_load(const char *application) {
    static int is_loaded;
    if (is_loaded) return NULL;
    void *library = dlopen("libreadline.so.8", RTLD_NOW);
    if (library == NULL) return dlerror();
    struct {
        const char *name;
        void *place;
    } symbols[] = {
        {"add_history", &rl.add_history},
        {"read_history", &rl.read_history},
        {"append_history", &rl.append_history},
        {"history_truncate_file", &rl.history_truncate_file},
        {"history_expand", &rl.history_expand},
        {"using_history", &rl.using_history},
        {"rl_completion_matches", &rl.completion_matches},
        {"rl_callback_handler_install", &rl.callback_handler_install},
        {"rl_callback_read_char", &rl.callback_read_char},
        {"rl_callback_handler_remove", &rl.callback_handler_remove},
        {"rl_cleanup_after_signal", &rl.cleanup_after_signal},
        {"rl_free_line_state", &rl.free_line_state},
        {"rl_line_buffer", &rl.line_buffer},
        {"rl_readline_name", &rl.readline_name},
        {"rl_catch_signals", &rl.catch_signals},
        {"rl_attempted_completion_over", &rl.attempted_completion_over},
        {"rl_completer_word_break_characters", &rl.completer_word_break_characters},
        {"rl_completer_quote_characters", &rl.completer_quote_characters},
        {"rl_attempted_completion_function", &rl.attempted_completion_function},
        {"history_quotes_inhibit_expansion", &rl.history_quotes_inhibit_expansion},
    };
    for (size_t index = 0; index < sizeof symbols / sizeof symbols[0]; index++) {
        void *symbol = dlsym(library, symbols[index].name);
        if (symbol == NULL) return dlerror();
        memcpy(symbols[index].place, &symbol, sizeof symbol);
    }
    if (pipe(interrupts) != 0) return strerror(errno);
    for (int end = 0; end < 2; end++) {
        fcntl(interrupts[end], F_SETFD, FD_CLOEXEC);
        fcntl(interrupts[end], F_SETFL, O_NONBLOCK);
    }
    is_loaded = 1;
    *rl.readline_name = application;
    *rl.catch_signals = 0;
    *rl.completer_word_break_characters = " \t\n\"'=,";
    *rl.completer_quote_characters = "\"'";
    *rl.attempted_completion_function = complete;
    *rl.history_quotes_inhibit_expansion = 1;
    rl.using_history();
    return NULL;
}

static void finish(char *line) {
    finished = line;
    has_finished = 1;
    rl.callback_handler_remove();
}

static void note_interrupt(int number) {
    (void)number;
    int error = errno;
    ssize_t count = write(interrupts[1], "", 1);
    (void)count;
    errno = error;
}

enum ems_line_state ems_readline_line(const char *prompt, char **line) {
    // Byte by byte, so that Ctrl-C comes in between: the line is given up then, and the terminal put back.
    struct sigaction action = {0}, former;
    action.sa_handler = note_interrupt;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &former);
    char drained[16];
    while (read(interrupts[0], drained, sizeof drained) > 0) {}
    has_finished = 0;
    finished = NULL;
    rl.callback_handler_install(prompt, finish);
    enum ems_line_state state = EMS_LINE_READ;
    while (!has_finished) {
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(STDIN_FILENO, &readable);
        FD_SET(interrupts[0], &readable);
        if (select(interrupts[0] + 1, &readable, NULL, NULL, NULL) < 0) continue;
        if (FD_ISSET(interrupts[0], &readable)) {
            rl.free_line_state();
            rl.cleanup_after_signal();
            rl.callback_handler_remove();
            state = EMS_LINE_INTERRUPTED;
            break;
        }
        rl.callback_read_char();
    }
    sigaction(SIGINT, &former, NULL);
    if (state == EMS_LINE_READ && finished == NULL) state = EMS_LINE_END;
    *line = finished;
    return state;
}

void ems_history_add(const char *line) { rl.add_history(line); }

int ems_history_read(const char *path) { return rl.read_history(path); }

int ems_history_append(const char *path) { return rl.append_history(1, path); }

int ems_history_truncate(const char *path, int lines) { return rl.history_truncate_file(path, lines); }

int ems_history_expand(const char *line, char **text) {
    char *copy = strdup(line);
    if (copy == NULL) return -1;
    int result = rl.history_expand(copy, text);
    free(copy);
    return result;
}
