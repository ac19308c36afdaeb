/* past.h - who listens to a topic, and was away or is too slow for what it keeps, gets what it has missed: out of the outbox, and
 * then what has come meanwhile, in order and each once.
 *
 *     past p = { .news = s, .last = 120, .sent = 120, .send = send, .missed = missed, .arg = client };
 *     err = past_catch_up(&p);                     from now on s has all that follows
 *
 * The subscription is the first to begin anew: so nothing is between what was and what comes. If the topic has gone on too far
 * by the time the outbox has been read, it begins again.
 *
 *   Ids.       One that is older than what the outbox keeps, or that this database has never given, is missed: something behind
 *              it may be gone for ever. Behind 0 is all that there is: that is no loss.
 *   Bounds.    The outbox is read in pages, of which none is held while the client has no room for more. */
#ifndef HANDLERS_PAST_H
#define HANDLERS_PAST_H

#include "db/outbox.h"
#include "server/async/task.h"
#include "server/topic/subscription.h"

/* As an error: the outbox cannot be read just now, or nothing is known of it yet; another time it can. */
enum { PAST_UNREADABLE = -30300 };

typedef struct past {
    subscription *news;
    int64_t       last;                      /* the client has all up to this id; TOPIC_NEW: it is to get what comes */
    promise    *(*send)(void *arg, const outbox_row *row);           /* to the client; without the topic. Settles when there is
                                                room for more; UV_EINVAL: no client would take that one */
    promise    *(*missed)(void *arg, int64_t after);         /* says so to the client */
    void         *arg;
    int64_t       sent;                      /* the last id that was; as last at first: none */
    arena         page;                      /* empty, before and after */
} past;

/* Does the subscription have all behind last? */
bool past_is_there(const past *p);

/* 0: all behind last has been sent, or is with news; last is at least as much as this process knew when it began.
 * PAST_UNREADABLE, or an error of the two, or UV_EOF: topics stop. */
async int past_catch_up(past *p);

#endif
