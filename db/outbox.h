/* outbox.h - what is published in a transaction, and handed out after it: the table outbox, and one thread of the process
 * that reads it.
 *
 *     value room[OUTBOX_VALUES];
 *     const db_step steps[] = { { &POST_NEW, 4, post, &stored }, outbox_step(room, topic, TEXT("post"), json) };
 *     err = await(db_transaction(here, arena, NULL, 2, steps));           stored and published, or neither
 *
 *     outbox_start(&o, d, &options, on_row, arg);         each process: on_row gets what any of them has published
 *
 *   Order.     Rows are handed out by id, each once; none is left out, and none that was not committed is there. An id below
 *              one that has been handed out never comes.
 *   Gaps.      Ids are given when a row is written, and transactions end in another order; one that is rolled back leaves a
 *              gap for ever. So at a missing id everything stops until it is there, or until nobody can own it any more:
 *              until all have ended that held a lock on the table, as whoever writes a row does up to the end of its
 *              transaction, when a larger id had been seen. (The snapshot's xmin would tell the same, but it waits for every
 *              transaction of the database that has written anything; the locks wait for none that left the outbox alone,
 *              however long it is open.) One that has written there, and stays open, holds up all that comes behind it, on every
 *              server: such transactions ought to be short. The sequence must give ids one by one, as it does (cache 1).
 *   When.      At once after a commit of this process, after a NOTIFY of another (listener.h), and every second anyhow; but
 *              LISTENER_NOTIFY_MS after the last look at the soonest, with all that has come by then. Where nothing can be
 *              heard, behind a pooler or while there is no connection for it, every poll_ms.
 *   Breaks.    After the connection broke, or another server took over, it goes on behind the last row handed out. If the new
 *              server lacks rows that had been handed out, since it was no synchronous standby, it will give their ids again:
 *              then it begins anew behind its newest row, and the log says so.
 *   Start.     It begins behind the newest row of then, once nobody can own one below it any more.
 *   Pruning.   Rows that are older than keep_ms, or by more than keep ids behind the newest, are deleted, some at a time, once
 *              they have been handed out here. Another process that is further behind than that loses them. The newest
 *              row always stays. */
#ifndef DB_OUTBOX_H
#define DB_OUTBOX_H

#include "db.h"

#define OUTBOX_CHANNEL "outbox"              /* which is told of each commit that publishes (listener.h) */

enum { OUTBOX_VALUES = 5, OUTBOX_LONGEST_TOPIC = 200 };      /* bytes of a topic's name, for those who make one of a request */

typedef struct outbox outbox;

typedef struct outbox_row {
    int64_t id;
    text    topic, event, data;
} outbox_row;

typedef struct outbox_options {
    uint64_t poll_ms;
    uint64_t keep_ms;                        /* 0: for ever */
    int64_t  keep;                           /* rows; 0: all */
} outbox_options;

/* To be run alone, or as a step of a transaction: it publishes data, as an event of that name, on a topic. Its values are in
 * room; the row that comes back has the id ("i"). */
db_step outbox_step(value room[OUTBOX_VALUES], text topic, text event, text data);

/* The same, but data has the key in it that an earlier step of the transaction has left (db_transaction): before, key, after.
 * If none has left one, nothing is published. No row comes back; and it is not indexed by its topic, which
 * would cost more than the row. */
db_step outbox_step_with_key(value room[OUTBOX_VALUES], text topic, text event, text before, text after);

/* On the outbox's thread. What it is given lives until it returns; it should not take long. */
typedef void outbox_receiver(void *arg, const outbox_row *row);

/* For a sender that may not learn whether it was published, and tries again. It makes up a key, and outbox_step_once
 * publishes nothing where the topic has a row with that key. Behind it in the same transaction outbox_step_id brings that row's
 * id ("i"), whichever time it was. Once the row has been pruned, its key is as good as new. */
db_step outbox_step_once(value room[OUTBOX_VALUES], text topic, text event, text data, text key);
db_step outbox_step_id(value room[OUTBOX_VALUES], text topic, text key);

/* Starts the thread: 0 or an error. A server that is down is none. d must outlive it. */
int  outbox_start(outbox **o, database *d, const outbox_options *options, outbox_receiver *receive, void *arg);
void outbox_stop(outbox *o);                 /* returns when the thread has ended, and frees it */

/* The id up to which all has been handed out; -1: it has not found its beginning yet. Any thread. */
int64_t outbox_position(const outbox *o);

typedef struct outbox_view {
    int64_t  position;                       /* as above */
    uint64_t behind;                         /* ids that are known to follow it, and have not been handed out, at least */
    uint64_t lag;                            /* milliseconds since all had been handed out; 0: it has */
    int64_t  pruned;                         /* rows up to this id have been deleted here; 0: none */
} outbox_view;

outbox_view outbox_look(const outbox *o);    /* any thread */

/* The database has no such table, for it is an old one that nobody has brought up to date (tenk --init-db), or it cannot be
 * read: what is published cannot be stored. The log says so. Any thread. */
bool outbox_is_missing(const outbox *o);

/* What was published on a topic behind that id, up to outbox_position, at most limit rows: for who was away. indexed: what is
 * not is passed over, and few rows are found quickly among many; else all of its rows are found, by a look at each behind that
 * id. After it has settled with 0: */
MUST_AWAIT promise *outbox_read(const outbox *o, db *db, arena *a, rows *out, text topic, bool indexed, int64_t after, int limit);
int        outbox_past_count(const rows *r);
outbox_row outbox_past_row(const rows *r, int row);          /* without the topic */
bool       outbox_past_is_pruned(const rows *r, int64_t after);      /* something behind that id may have been deleted */

#endif
