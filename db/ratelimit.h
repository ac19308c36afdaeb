/* ratelimit.h - an error that comes again within a second is only counted: a broken disk must not fill another one. */
#ifndef DB_RATELIMIT_H
#define DB_RATELIMIT_H

/* How many of this kind went unsaid before this one, or -1 if this one shall too. name is one that stays, and
 * with the code it is the kind. For any thread. */
long ratelimit_before(const char *name, int code);

#endif
