/* errors.h - errors that a caller has to tell from all others; each layer has its own of the first kind.
 *
 *   transient   It passes by itself: what ended with one was undone whole, and the same may succeed when it is done again.
 *               Where that cannot be, the answer is 503.
 *   uncertain   What it stands for may or may not have been done, and to ask again might do it twice. */
#ifndef ERRORS_H
#define ERRORS_H

#include <stdbool.h>

/* As errors: negative, and no other's. */
#define ERR_TRANSIENT(n) (-32100 - (n))
enum { ERR_UNCERTAIN = -30100 };

static inline bool err_is_transient(int err) { return err <= ERR_TRANSIENT(0) && err > ERR_TRANSIENT(100); }

#endif
