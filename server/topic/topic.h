/* topic.h - what is published under a name reaches all who have subscribed to it, on every thread of the process.
 *
 *     topic *t;
 *     int err = topic_open(TEXT("room/1"), &t);
 *     if (!err) {
 *         err = topic_publish(t, 0, TEXT("said"), TEXT("hello"));
 *         topic_close(t);
 *     }
 *
 * A message is made once, and shared (topic_message.h). The last of them are kept, in the order in which they were published:
 * each subscriber (subscription.h) has a place in that order, and comes again with the id of the last message that it had.
 *
 *   Ids.      Given by the topic, they grow by one, from the microseconds of the time when it began: so they grow over
 *             restarts, and fit into JavaScript's numbers. Or whoever publishes names them, all of them.
 *   Bounds.   A topic keeps [topics] keep messages, and not more bytes than [topics] bytes leaves for all: so one may have
 *             half of them, many get equal shares, and there is always something left. Forms come on top. There are [topics]
 *             most topics; when a new name needs room, one is forgotten that is not open and has no subscribers, the
 *             longest idle first. One without messages is forgotten when it is closed.
 *   Threads.  All of it is for any thread. topics_configure comes before, topics_done after all else. */
#ifndef TOPIC_H
#define TOPIC_H

#include "server/base/text.h"

#include <stdint.h>

typedef struct topic topic;

enum { TOPIC_NAME = 200 };                   /* bytes, at most */

/* What becomes of subscribers that have not read what is to be kept no more. */
typedef enum topic_policy {
    TOPIC_DROP_OLDEST,                       /* they go on with the oldest that is kept */
    TOPIC_DROP_NEWEST,                       /* they may be half as far behind as is kept: then they miss what is published
                                                until they have read what was before */
    TOPIC_DISCONNECT,                        /* they get SUBSCRIPTION_BEHIND, and nothing more */
} topic_policy;

/* 0; UV_ENAMETOOLONG; or REFUSED_TOPICS: all that there may be are in use. */
int  topic_open(text name, topic **t);
void topic_close(topic *t);                  /* by each who has opened it; subscriptions and what is kept stay */
text topic_name(const topic *t);
void topic_set_policy(topic *t, topic_policy policy);        /* TOPIC_DROP_OLDEST at first, as when it was forgotten */

/* Copies both; event may be "". id 0: the topic gives the next one, else it is above 0. 0, or UV_ENOBUFS: the message is
 * larger than what [topics] bytes leaves for it. */
int  topic_publish(topic *t, int64_t id, text event, text bytes);

typedef struct topic_options {
    int    keep, most;
    size_t bytes;
} topic_options;

void topics_configure(const topic_options *o);
void topics_stop(void);                      /* each subscriber gets UV_EOF when it has read what there is */
void topics_done(void);                      /* frees what is kept; nothing is open, and nobody subscribed */

/* On a loop on which any have been: nobody is subscribed any more, and loop_done comes next. */
void topics_loop_end(void);

typedef struct topics_view {
    uint64_t topics, subscriptions;          /* now */
    uint64_t bytes;                          /* kept now */
    uint64_t published, dropped, disconnected;       /* ever; dropped: each for each subscriber that missed it */
} topics_view;

topics_view topics_look(void);

#endif
