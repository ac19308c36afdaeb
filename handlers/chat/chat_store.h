/* chat_store.h - what is kept of a room: rows of the outbox (db/outbox.h), by which servers tell each other, too.
 *
 * A message has the event "message", and its sender's key. Who is there (chat_room.h) has the event "here", and one row for each
 * server, which makes room for the next one. All of it is called in a task, or in a blocking thread. */
#ifndef CHAT_STORE_H
#define CHAT_STORE_H

#include "chat_message.h"
#include "handlers/site.h"
#include "server/async/task.h"

typedef struct chat_history {
    rows    said;                            /* id and data, the newest first */
    rows    here;                            /* data, and how many seconds ago, the oldest first */
    int64_t last;                            /* up to this id nothing is missing */
} chat_history;

extern const statement CHAT_LATELY;          /* topics of rooms and the data of their last message, the newest first */

async int chat_read_page(request *req, text topic, chat_history *h);

/* Of a socket's task, for which this may be one of many: what it needs ends with a. Data and seconds, as above. */
async int chat_read_here(request *req, arena *a, text topic, rows *here);

/* Keeps m, unless its key is known: *id is then the one of the message that has it. */
async int chat_store(request *req, arena *a, text topic, const chat_message *m, int64_t *id);

/* Keeps who is here, instead of what is kept under the id before, if that is above 0. */
async int chat_store_here(request *req, arena *a, text topic, text data, int64_t before, int64_t *id);

#endif
