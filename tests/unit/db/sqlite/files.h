/* files.h - a small database of ours in a folder that the test's process removes at its end. */
#ifndef TESTS_SQLITE_FILES_H
#define TESTS_SQLITE_FILES_H

#include <stdint.h>

const char *files_path(const char *name);    /* in this process's own folder */
void        files_make(const char *path, int users);         /* one of ours, with so many users */
int64_t     files_ask(const char *path, const char *sql);    /* the first column of the first row */
int         files_opened(const char *path);    /* how many descriptors this process has of it */

#endif
