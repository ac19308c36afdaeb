/* places.h - places in the code, as a recorder has them (record_place), by file and line, and the text of that line.
 *
 *     err = await(places_learn(values, count));             in the pool, for the debug information is read
 *     place_name(values[0]);                                "handlers/users/user_page.c:17"
 *
 *   Bounds.     The first 512 that are asked for are known for good; of any other nothing is known.
 *   Threads.    For any. */
#ifndef REQUESTS_PLACES_H
#define REQUESTS_PLACES_H

#include "server/async/promise.h"
#include "server/base/text.h"

#include <stdint.h>

typedef struct places_wanted {
    int            count;
    const int32_t *values;                   /* 0 is no place */
} places_wanted;

/* wanted must outlive it. Never fails for want of what is known. */
MUST_AWAIT promise *places_learn(places_wanted *wanted);
const char         *place_name(int32_t value);       /* "" if it is not known; for good */

/* What stands there, if this program has that file: without the spaces around it; or "". */
text place_line(const char *name);

/* Its file and line, as HTML: with a link to the whole of the file, if the site shows it. */
struct buffer;
void place_write(struct buffer *b, const char *name);

#endif
