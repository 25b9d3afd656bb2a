#ifndef CREADLINE_H
#define CREADLINE_H

/// GNU readline, loaded when it is first wanted, so that no other command pays for it. One thread at a time.

/// Loads the library and prepares it: signals and the terminal stay the caller's between two lines.
/// - Returns: NULL, or what is wrong, as dlopen(3) and dlsym(3) say it.
const char *ems_readline_load(const char *application);

/// What may stand in place of the word that begins at `start` of the line: an array that ends with NULL, all of it made by malloc(3);
/// NULL for nothing.
typedef char **(*ems_completer)(const char *line, int start, const char *word);

/// An only candidate that is \"\\x01files\" means the names of files.
void ems_readline_set_completer(ems_completer completer);

/// What ems_readline_line answers.
enum ems_line_state { EMS_LINE_READ, EMS_LINE_END, EMS_LINE_INTERRUPTED };

/// Reads a line, which is the caller's to free(3).
enum ems_line_state ems_readline_line(const char *prompt, char **line);

void ems_history_add(const char *line);
/// All return 0, or an errno. The file is the caller's to make. Appended is the line that was added last.
int ems_history_read(const char *path);
int ems_history_append(const char *path);
int ems_history_truncate(const char *path, int lines);
/// Replaces `!!` and its like. Returns -1 for a mistake (the text is what is wrong), 0 where nothing was replaced, 1 where something was,
/// 2 where the line shall be shown and not run. The text is the caller's to free(3).
int ems_history_expand(const char *line, char **text);

#endif
