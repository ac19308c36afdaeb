/* subscription.h - a place in what a topic keeps: its messages are received in order, at the subscriber's own pace.
 *
 *     subscription *s = topic_subscribe(request_arena(req), t, TOPIC_NEW);
 *     const topic_message *m;
 *     while (!(err = await(subscription_receive(s, &m))))
 *         ...
 *
 *   Ownership.  A subscription ends with its arena, or before, with subscription_end. A message that was received is there
 *               until the next call that receives, or the end; who needs it for longer holds it (topic_message.h).
 *   Threads.    One is its thread's, with a loop or without; messages come from any. */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H

#include "server/async/either.h"
#include "server/base/arena.h"
#include "topic.h"
#include "topic_message.h"

typedef struct subscription subscription;

enum { SUBSCRIPTION_ROOM = 160 };            /* bytes that it takes of its arena, on a 64-bit machine */

enum { TOPIC_NEW = -1 };                     /* only what is published from now on */

/* As an error: negative, and no other's. What was to be read next is kept no more, and the topic's policy is
 * TOPIC_DISCONNECT. */
enum { SUBSCRIPTION_BEHIND = -30200 };

/* First comes what is kept and was published after the message with that id, or, if that is kept no more, what has a larger
 * one; 0: all that is kept. */
subscription *topic_subscribe(arena *a, topic *t, int64_t after);
void          subscription_again(subscription *s, int64_t after);    /* the same anew, also if it is behind; nothing waits */
void          subscription_end(subscription *s);     /* nothing waits; a second time, or of NULL, it does nothing */
topic        *subscription_topic(const subscription *s);     /* which it keeps open; NULL: it has ended */
int64_t       subscription_last(const subscription *s);      /* the id of what was received last; of nothing, the one named */

/* Has nothing been missed between the id that was named and what comes first? False, too, if it cannot be known. */
bool          subscription_is_complete(const subscription *s);
uint64_t      subscription_dropped(const subscription *s);   /* messages that it has missed since, as far as is known by now */

/* Settles when there is a message. *m must be there until then; each is awaited before the next. One that is cancelled has
 * taken nothing, but one that has settled with 0 has, whatever becomes of that. UV_EOF: topics_stop, or the subscription has
 * ended; SUBSCRIPTION_BEHIND. In a blocking thread UV_ECANCELED: its client is gone, and UV_ETIMEDOUT: its deadline has
 * come. */
MUST_AWAIT promise *subscription_receive(subscription *s, const topic_message **m);

/* The same, but does not wait: UV_EAGAIN if there is none. */
int           subscription_next(subscription *s, const topic_message **m);
bool          subscription_is_ready(const subscription *s);          /* would that be something else? Takes nothing */
int           subscription_look(subscription *s);    /* what that would be: so the policy reaches one who cannot receive now */

/* For either(): it is ready when subscription_is_ready. Meanwhile nothing is received. */
source        subscription_source(subscription *s);

/* On a loop: from now on on_news(arg) is called, instead of waiting for a promise, when anything has come, once however much,
 * and also if it was called before and has not received it; soon for the first time if something is there. It may end the
 * subscription. NULL: no more. */
void          subscription_on_news(subscription *s, void (*on_news)(void *arg), void *arg);

#endif
