/* file.h - the file of a database: where it is, and that it is ours, whole and seeded.
 *
 * It is created and seeded in one transaction: a process that dies in the middle leaves nothing,
 * and of two that start at once the second one waits and finds it done. */
#ifndef DB_SQLITE_FILE_H
#define DB_SQLITE_FILE_H

#include <stddef.h>

/* The path in sqlite:PATH or sqlite:///PATH, within url. On an error, why says what is wrong. */
int sqlite_file_path(const char *url, const char **path, char *why, size_t size);

/* Opens the file, creates and seeds it with this many users if it is empty or not there, adds the outbox to one of ours that
 * lacks it, turns on write-ahead logging, and closes it. On an error, why says what is wrong. */
int sqlite_file_prepare(const char *path, int users, char *why, size_t size);

/* Adds the tables of the boards to a file of ours that lacks them: it is an old one. */
int sqlite_file_add_boards(const char *path, char *why, size_t size);

/* Says in why that opening path failed with this code of SQLite's and, unless 0, this errno. */
int sqlite_file_error(const char *path, int code, int system_error, const char *words, char *why, size_t size);

#endif
