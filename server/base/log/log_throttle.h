/* log_throttle.h - so many of a kind in a second, and the rest is only counted.
 *
 * A kind is a number that is unlikely to be another's: a hash, an address. It has a second from when it was
 * first seen; when that is over, what was held back of it is due to be told.
 *
 *     throttled *held = throttle_hold(&t, kind, 1, now);
 *     if (held)
 *         snprintf(held->text, sizeof held->text, "%s", text);
 *     else
 *         puts(text);
 *
 *   Threads.  One user at a time: where threads share one, a lock of theirs guards it. */
#ifndef LOG_THROTTLE_H
#define LOG_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum { THROTTLE_KINDS = 64, THROTTLE_TEXT = 256 };

typedef struct throttled {                   /* a kind */
    uint64_t kind, since;                    /* nanoseconds, when its second began */
    unsigned passed, more;                   /* in it; more were held back */
    int      tag;                            /* this and the text are the user's, from throttle_hold to throttle_due */
    char    *text;                           /* THROTTLE_TEXT bytes */
} throttled;

typedef struct throttle {                    /* all zero is an empty one */
    throttled kinds[THROTTLE_KINDS];
    char      texts[THROTTLE_KINDS][THROTTLE_TEXT];
} throttle;

/* Counts one of that kind, of which so many may pass in a second. NULL: this one may; else it is held back, and
 * counted there. Where there are more kinds in a second than have room, those beyond pass uncounted. */
throttled *throttle_hold(throttle *t, uint64_t kind, unsigned most, uint64_t now);

/* Takes one whose second is over, and of which more were held back; false: there is none now. Its text is valid until
 * the next throttle_hold. With now = UINT64_MAX any that holds something. */
bool throttle_due(throttle *t, uint64_t now, throttled *due);

bool throttle_holds(const throttle *t);      /* will there be one? */

uint64_t throttle_kind(const char *text);    /* a number for the kind "exactly this text" */

#endif
