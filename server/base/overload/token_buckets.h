/* token_buckets.h - how often each of many may do something: token buckets, in a table of a fixed size.
 *
 * A bucket holds so many tokens, and is filled evenly within its window; each use takes one. It is kept as the time when it
 * will be full again (the generic cell rate algorithm, ITU-T I.371), which is a number that grows; so one that is full needs
 * not be kept at all, and the table holds only those who have done something within a window.
 *
 * A key has a place in one of a few slots, by its hash, which nobody outside can know. When all of them are others', the one
 * that will be full soonest is forgotten, and its owner has a full one again: an approximation, in favour of clients.
 *
 *   Threads.  Any, at the same time, without a lock: a slot is two numbers. One that takes another's slot while that is in use
 *             may be counted a token for it. */
#ifndef TOKEN_BUCKETS_H
#define TOKEN_BUCKETS_H

#include "server/base/text.h"

typedef struct token_buckets token_buckets;

typedef struct token_limit {
    uint32_t tokens;                         /* of a full bucket, at least one */
    uint64_t window;                         /* nanoseconds in which an empty one is filled */
} token_limit;

typedef struct token_state {
    bool     taken;
    uint32_t left;                           /* tokens */
    uint64_t wait;                           /* nanoseconds until there will be one; 0: there is */
    uint64_t full;                           /* nanoseconds until it is full */
} token_state;

token_buckets *token_buckets_new(int buckets);       /* room for so many, or a few more: 16 bytes each */
void           token_buckets_free(token_buckets *t);

/* Takes a token from the bucket of a key, if it has one, at a time of uv_hrtime. Limits of one table may differ; then so
 * must the keys of those to whom they apply. */
token_state token_buckets_take(token_buckets *t, text key, const token_limit *limit, uint64_t now);

#endif
