/* topic_message.h - what was published once, and is shared by all whom it reaches.
 *
 * It never changes. What is made of it for many alike, a websocket's frame for one, is made by the first who needs it, and
 * kept with it: its forms.
 *
 *   Ownership.  Each holder releases it once; with the last of them it ends, its forms with it.
 *   Threads.    All of it is for any thread. */
#ifndef TOPIC_MESSAGE_H
#define TOPIC_MESSAGE_H

#include "server/base/text.h"

#include <stdatomic.h>

typedef struct topic_message {
    int64_t          id;
    text             event, bytes;           /* an event without a name: "" */
    _Atomic(struct topic_form *) forms;
    atomic_uint      holders;
} topic_message;

/* With copies of both; the caller holds it. */
topic_message *topic_message_new(int64_t id, text event, text bytes);
void           topic_message_hold(const topic_message *m);           /* once more, by one who sees that another holds it */
void           topic_message_release(const topic_message *m);        /* NULL is fine */
size_t         topic_message_size(const topic_message *m);           /* bytes of memory, without its forms */

/* What make has made of m, which is done once: two threads that need it at the same time may both, and one's is thrown
 * away. make returns memory of mem_alloc, the message's from then on, and may be called by any thread. The form lives as
 * long as the message. */
typedef text topic_form_fn(const topic_message *m);
text           topic_message_form(const topic_message *m, topic_form_fn *make);

#endif
