/* topic_internal.h - the inside of a topic: what subscriptions read. */
#ifndef TOPIC_INTERNAL_H
#define TOPIC_INTERNAL_H

#include "server/base/list.h"
#include "topic_message.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct topic {
    list_node        idle;                   /* among those that nobody has open */
    int              users;                  /* who opened it, and subscriptions */
    pthread_mutex_t  lock;                   /* of what follows */
    int              policy;                 /* a topic_policy */
    topic_message  **ring;                   /* the message at place p is at p & (room - 1) */
    size_t           room;                   /* a power of two, or 0 */
    uint64_t         first;                  /* place of the oldest that is kept */
    _Atomic uint64_t end;                    /* place of the next one; may be read without the lock, too */
    size_t           bytes;                  /* of those kept */
    int64_t          last_id;                /* of the newest; of none: what it began with */
    int64_t          gone_id;                /* of the last that is kept no more; of none: the same */
    list             audiences;
    text             name;                   /* which lies behind it */
};

typedef struct topic_counts {
    _Atomic uint64_t subscriptions, published, dropped, disconnected;
} topic_counts;

extern topic_counts topic_counted;

void topic_use(struct topic *t);                   /* by one who has it open: once more; topic_close ends it */
int  topics_keep(void);                      /* [topics] keep */
bool topics_stopped(void);

#endif
