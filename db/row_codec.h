/* row_codec.h - rows as bytes, which another process can be sent, and as rows again there.
 *
 * The bytes are this machine's own, and only for one that runs the same program. */
#ifndef DB_ROW_CODEC_H
#define DB_ROW_CODEC_H

#include "db.h"
#include "server/base/buffer.h"

/* Appends r. types has a letter for each column: i for an integer, t for text; either may be null. */
void rows_pack(buffer *b, const rows *r, const char *types);

/* Takes rows from the front of *in: they are views into it, and their cells are the arena's. UV_EINVAL if
 * it does not begin with rows. */
int rows_unpack(rows *out, text *in, arena *a);

#endif
