/* chat_store.c - see chat_store.h. */
#include "chat_store.h"
#include "chat_room.h"
#include "db/outbox.h"
#include "server/async/combine.h"

#include <time.h>

/* Of the last rows of all: what it costs does not grow with what is kept. */
const statement CHAT_LATELY = {
    .name  = "chat_lately",
    .sql   = "select topic, data from outbox where id in"
             " (select max(id) from (select id, topic, event from outbox order by id desc limit 5000) as lately"
             " where topic like 'chat/%' and event = 'message' group by topic) order by id desc limit 50",
    .reads = true, .columns = "tt",
};

static const statement CHAT_LAST = {
    .name  = "chat_last",
    .sql   = "select id, data from outbox where topic = $1 and indexed and event = 'message' order by id desc limit 50",
    .reads = true, .columns = "it",
};

/* Of the last rows of the room: those of its messages are no matter. */
static const statement CHAT_HERE = {
    .name  = "chat_here",
    .sql   = "select data, $2 - created_at from"
             " (select id, event, data, created_at from outbox where topic = $1 and indexed order by id desc limit 500)"
             " as lately where event = 'here' and created_at > $2 - 50 order by id",
    .reads = true, .columns = "ti",
};

static const statement CHAT_FORGET = { .name = "chat_forget", .sql = "delete from outbox where id = $1" };

async int chat_read_here(request *req, arena *a, text topic, rows *here)
{
    return await(site_query_in(req, a, here, &CHAT_HERE, 2, (value[]){ string(topic), integer(time(NULL)) }));
}

/* A page shows all that is there. What has not been handed out here is behind h->last, and comes once more by the websocket, with
 * what may yet be committed before it; the key tells. */
async int chat_read_page(request *req, text topic, chat_history *h)
{
    const int64_t published = site_published();
    const int err = await(gather(query(req, &h->said, &CHAT_LAST, string(topic)),
                                 query(req, &h->here, &CHAT_HERE, string(topic), integer(time(NULL)))));
    if (err)
        return err;
    h->last = h->said.count > 0 ? rows_int(&h->said, 0, 0) : 0;
    if (h->last > published)
        h->last = published > 0 ? published : 0;
    return 0;
}

async int chat_store(request *req, arena *a, text topic, const chat_message *m, int64_t *id)
{
    value add[OUTBOX_VALUES], find[OUTBOX_VALUES];
    rows found = { 0 };
    db_step steps[] = { outbox_step_once(add, topic, TEXT("message"), chat_message_data(a, m), m->key),
                        outbox_step_id(find, topic, m->key) };
    steps[1].out = &found;
    const int err = await(site_transaction_in(req, a, steps, 2));
    if (err)
        return err;
    if (found.count == 0)
        return UV_EAGAIN;                    /* it was there, and has just been pruned */
    *id = rows_int(&found, 0, 0);
    return 0;
}

/* The new row first: the newest one of all is never deleted (db/outbox.sql). */
async int chat_store_here(request *req, arena *a, text topic, text data, int64_t before, int64_t *id)
{
    value add[OUTBOX_VALUES];
    const value forgotten = integer(before);
    rows stored = { 0 };
    db_step steps[] = { outbox_step(add, topic, TEXT("here"), data), { &CHAT_FORGET, 1, &forgotten, NULL } };
    steps[0].out = &stored;
    const int err = await(site_transaction_in(req, a, steps, 2));
    if (!err)
        *id = rows_int(&stored, 0, 0);
    return err;
}
