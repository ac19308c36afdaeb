/* import_batch.h - some lines of an import on their way: gathered, checked off the loop, stored by one
 * statement.
 *
 * Most of what an import costs is reading JSON, and the commit: a batch is large enough that the commit
 * counts for little, and small enough that a few of them are no matter. */
#ifndef IMPORT_BATCH_H
#define IMPORT_BATCH_H

#include "handlers/users/post.h"
#include "server/base/arena.h"
#include "server/base/block.h"

/* It is full with that, and one line more. Its bytes and its JSON, which is rarely longer, each have a block then (block.h). */
enum { IMPORT_BATCH_LINES = 4096, IMPORT_BATCH_BYTES = BLOCK_LARGEST - 64 * 1024 };

typedef struct import_line {
    uint64_t    number;
    int64_t     user;
    size_t      from, to;                    /* of the bytes; once checked, of the JSON */
    const char *why;                         /* it is refused, in words; the arena's */
} import_line;

typedef struct import_batch {
    uint64_t    first, last;                 /* lines that it accounts for; those blank or too long are not in it */
    int         count, good;                 /* lines[0] to lines[good - 1] may be stored, once checked */
    import_line lines[IMPORT_BATCH_LINES];
    char       *bytes;                       /* owned: a block, or NULL */
    size_t      length, capacity;
    text        json;                        /* the good ones; the arena's */
    arena       arena;
} import_batch;

import_batch *import_batch_new(uint64_t first);
void          import_batch_free(import_batch *b);
void          import_batch_add(import_batch *b, uint64_t number, text line); /* it must not be full */
bool          import_batch_is_full(const import_batch *b);

/* Reads every line of the batch, for in_thread: 0. */
int import_batch_check(void *batch);

/* Some of the good ones as an array, [{"user":42,"title":"...","body":"..."},...]: what both databases can take apart. */
text import_batch_json(const import_batch *b, int from, int to, arena *a);

#endif
