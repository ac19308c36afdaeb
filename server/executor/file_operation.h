/* file_operation.h - the inside of file.h: one file being read or written, a call of uv_fs at a time.
 *
 * A step starts the next call, names the step that gets its outcome, and returns what uv_fs_... did:
 *
 *     static int on_opened(file_operation *o, ssize_t result)
 *     {
 *         if (result < 0)
 *             return file_operation_end(o, (int)result);
 *         o->next = on_looked;
 *         return uv_fs_fstat(o->loop, &o->fs, o->fd, o->called);
 *     }
 *
 * On a loop the outcome comes later, from the thread pool; in a blocking thread loop and called are NULL,
 * and uv_fs has it at once. A descriptor is in fd from when a call has opened it. */
#ifndef FILE_OPERATION_H
#define FILE_OPERATION_H

#include "file.h"

#include <stdbool.h>
#include <uv.h>

typedef struct file_operation file_operation;
typedef int file_step(file_operation *o, ssize_t result);

struct file_operation {
    uv_fs_t     fs;                          /* must be first */
    uv_loop_t  *loop;
    uv_fs_cb    called;
    file_step  *next;                        /* gets the outcome; NULL: it has ended */
    promise    *promise, *entering;          /* entering while it is in line */
    const char *path;
    uv_file     fd;                          /* -1: none is open */
    int         err;                         /* the outcome of all */
    bool        cancelled;
    bool        ending;                      /* too late to cancel it */

    arena      *arena;                       /* reading */
    text       *out;
    char       *bytes;
    size_t      max, size, room;             /* size: the file's, as far as it says */
    size_t      length;                      /* read, or written, so far */

    text        content;                     /* writing */
    char       *temporary;                   /* the new file's path, while there may be one; owned */
    int         mode;                        /* the old file's rights; -1: there is none */
};

file_step file_read_begin, file_write_begin; /* their first steps */

/* Ends it so: closes what is open first, and removes the new file if there is one. */
int file_operation_end(file_operation *o, int err);

/* What is no regular file: its error; else 0. */
int file_operation_kind(const uv_stat_t *s);

#endif
