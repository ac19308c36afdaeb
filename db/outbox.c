/* outbox.c - see outbox.h. What writes rows: outbox_step.c. */
#include "outbox.h"
#include "listener.h"
#include "server/base/blocking_wait.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 128, PRUNED = 1000 };         /* rows read at once; deleted at once */

/* A gap is usually over when the transaction beside has committed, too: nobody is asked before. */
static const uint64_t MS = 1000000, GAP_FIRST = 2 * MS, GAP_LONGEST = 50 * MS, GAP_ASK = 3 * MS;

/* Together with those that come soon after: to look costs more than a row. */
static const uint64_t TOGETHER = LISTENER_NOTIFY_MS;

static const uint64_t HEARING = 1000, PRUNING = 5000, MISSING = 5000;       /* milliseconds */

static const statement
    NEWEST = { "outbox_newest", "select coalesce(max(id), 0) from outbox", true, "i" },
    NEXT = { "outbox_next", "select id, topic, event, data from outbox where id > $1 order by id limit $2", true, "ittt" },
    PAST = { "outbox_past", "select o.id, o.event, o.data, f.first from (select min(id) as first from outbox) f"
                            " left join outbox o on o.topic = $1 and o.id > $2 and o.id <= $3 order by o.id limit $4",
             true, "IttI" },
    PAST_INDEXED = { "outbox_past_indexed",
            "select o.id, o.event, o.data, f.first from (select min(id) as first from outbox) f"
            " left join outbox o on o.topic = $1 and o.indexed and o.id > $2 and o.id <= $3 order by o.id limit $4",
             true, "IttI" },
    OLD = { "outbox_old", "select max(id) from (select id, created_at from outbox where id >= $1 order by id limit $2) f"
                          " where id <= $3 or created_at < $4", true, "I" };

/* Of those of $1, separated by commas, or of all if that is empty: who holds the lock that a writer of the table has. */
static const statement WRITERS = {
    "outbox_writers", "select string_agg(distinct virtualtransaction, ','), pg_is_in_recovery() from pg_locks"
                      " where locktype = 'relation' and database ="
                      " (select oid from pg_database where datname = current_database())"
                      " and relation = 'outbox'::regclass and mode = 'RowExclusiveLock' and granted"
                      " and ($1 = '' or virtualtransaction = any(string_to_array($1, ',')))", true, "tb" };

/* Processes that delete the same do not wait for each other. */
static const statement
    PRUNE_POSTGRES = { "outbox_prune", "delete from outbox where id in"
                       " (select id from outbox where id >= $1 and id <= $2 order by id for update skip locked)", false },
    PRUNE_SQLITE = { "outbox_prune", "delete from outbox where id >= $1 and id <= $2", false };

struct outbox {
    database        *database;
    outbox_options   options;
    outbox_receiver *receive;
    void            *arg;
    db_listener     *listener;
    bool             orders;                 /* ids are committed in their order: SQLite */
    pthread_t        thread;
    int              ends[2];                /* the thread's client; when the other end is closed, its queries end */
    atomic_bool      missing;
    _Atomic int64_t  position, seen, pruned; /* seen: the newest row that it came across */
    _Atomic uint64_t late_since;             /* of uv_hrtime; 0: all has been handed out */

    unsigned connections;                    /* of the listener, when it looked the last time */
    int64_t  gap, newest;                    /* a gap is behind this id, if that is the position; the newest row seen then */
    uint64_t gap_since, gap_look;            /* of uv_hrtime */
    int64_t  asked;                          /* the newest row when the writers were asked for; -1: they have not been */
    char    *writers;                        /* of them, those that had not ended */
    int64_t  settled;                        /* what is missing up to here will not come any more */

    uint64_t next_prune;
    int64_t  oldest;                         /* no row is below */
};

int64_t outbox_position(const outbox *o)   { return atomic_load(&o->position); }
bool    outbox_is_missing(const outbox *o) { return atomic_load(&o->missing); }

outbox_view outbox_look(const outbox *o)
{
    const uint64_t since = atomic_load(&o->late_since), now = uv_hrtime();
    const int64_t position = atomic_load(&o->position), seen = atomic_load(&o->seen);
    return (outbox_view){ .position = position, .behind = position >= 0 && seen > position ? (uint64_t)(seen - position) : 0,
                          .lag = since > 0 && now > since ? (now - since) / MS : 0, .pruned = atomic_load(&o->pruned) };
}

/* That a connection broke is said by the listener. */
static int ask(outbox *o, arena *a, rows *out, const statement *s, int n, const value parameters[])
{
    const int err = db_listener_query(o->listener, a, out, s, n, parameters);
    const bool missing = err == DB_EQUERY || err == DB_EVALUE;
    if (missing && !atomic_load(&o->missing))
        log_error("the table outbox cannot be used: what is stored is not published. tenk --init-db adds one to an old database");
    if (missing || !err)
        atomic_store(&o->missing, missing);
    return err;
}

/* Whether none of those can be under way any more who had written, when this was asked for the first time. */
static int writers_ended(outbox *o, arena *a, int64_t newest, bool *ended)
{
    rows r;
    const bool first = o->asked < 0;
    const value theirs = string(text_of(first ? "" : o->writers));
    const int err = o->orders ? 0 : ask(o, a, &r, &WRITERS, 1, &theirs);
    if (err)
        return err;
    if (!o->orders && rows_bool(&r, 0, 1))
        return UV_EROFS;                     /* its writers are not seen here */
    const text left = o->orders ? TEXT("") : rows_text(&r, 0, 0);
    if (first)
        o->asked = newest;
    mem_free(o->writers);
    o->writers = mem_alloc(left.length + 1);
    memcpy(o->writers, left.at, left.length);
    *ended = left.length == 0;
    return 0;
}

static void look_again(outbox *o)
{
    const uint64_t now = uv_hrtime(), age = (now - o->gap_since) / 2;
    o->gap_look = now + (age < GAP_FIRST ? GAP_FIRST : age < GAP_LONGEST ? age : GAP_LONGEST);
}

enum { LOOK_AGAIN = 1 };                     /* at gap_look; no error code is positive */

/* LOOK_AGAIN: somebody may still commit a row below the newest. */
static int find_beginning(outbox *o, arena *a)
{
    rows r;
    bool ended;
    int err = o->asked < 0 ? ask(o, a, &r, &NEWEST, 0, NULL) : 0;
    if (err)
        return err;
    if (o->asked < 0)
        o->gap_since = uv_hrtime();
    err = writers_ended(o, a, o->asked < 0 ? rows_int(&r, 0, 0) : o->asked, &ended);
    if (!err && !ended) {
        look_again(o);
        err = LOOK_AGAIN;
    }
    if (err)
        return err;
    o->settled = o->asked;
    atomic_store(&o->position, o->asked);
    o->asked = -1;
    return 0;
}

/* Transactions of before are over, by whatever names they were known; and what had been handed out may be gone. */
static int find_position_again(outbox *o, arena *a)
{
    rows r;
    o->asked = -1;
    o->gap = -1;
    const int err = outbox_position(o) >= 0 ? ask(o, a, &r, &NEWEST, 0, NULL) : 0;
    if (err)
        return err;
    if (outbox_position(o) >= 0 && rows_int(&r, 0, 0) < outbox_position(o)) {
        log_warning("the database has lost rows of the outbox that had been handed out, and gives their ids again: it goes on "
                    "behind %lld, and not behind %lld", (long long)rows_int(&r, 0, 0), (long long)outbox_position(o));
        o->settled = 0;
        atomic_store(&o->seen, 0);
        atomic_store(&o->position, -1);
    }
    o->connections = db_listener_connections(o->listener);
    return 0;
}

/* Whether the gap behind the position is over, if it is not filled by now: it is to be looked at again. */
static int settle_gap(outbox *o, arena *a, bool *over)
{
    if (!o->orders && uv_hrtime() - o->gap_since < GAP_ASK)
        return 0;
    const int err = writers_ended(o, a, o->newest, over);
    if (!err && *over) {
        o->settled = o->asked;
        o->asked = -1;
    }
    return err;
}

/* How many of these are handed out: up to the first gap that is not over. */
static int hand_out(outbox *o, const rows *r)
{
    int i = 0;
    for (; i < r->count; i++) {
        const int64_t id = rows_int(r, i, 0), last = outbox_position(o);
        if (id != last + 1 && id > o->settled)
            break;
        o->receive(o->arg, &(outbox_row){ id, rows_text(r, i, 1), rows_text(r, i, 2), rows_text(r, i, 3) });
        atomic_store(&o->position, id);
    }
    return i;
}

static void note_gap(outbox *o, int64_t newest)
{
    const int64_t at = outbox_position(o);
    if (o->gap != at) {
        o->gap = at;
        o->newest = newest;
        o->gap_since = uv_hrtime();
        if (o->asked <= at)
            o->asked = -1;                   /* else those who were asked for then may own this one, too */
    }
    look_again(o);
}

typedef enum look { LOOK_MORE, LOOK_DONE, LOOK_GAP, LOOK_FAILED } look;     /* there may be more at once; or: see next_look */

/* One batch. */
static look look_once(outbox *o, arena *a)
{
    rows r;
    int err = db_listener_connections(o->listener) != o->connections ? find_position_again(o, a) : 0;
    if (!err && outbox_position(o) < 0) {
        err = find_beginning(o, a);
        if (err == LOOK_AGAIN)
            return LOOK_GAP;
    }
    /* While a gap stays open, only what is next to it is of interest. */
    const bool open = o->gap == outbox_position(o) && o->settled <= o->gap && uv_hrtime() - o->gap_since >= GAP_ASK;
    const int most = open ? 1 : BATCH;
    const value behind[] = { integer(outbox_position(o)), integer(most) };
    if (!err)
        err = ask(o, a, &r, &NEXT, 2, behind);
    if (err)
        return LOOK_FAILED;
    if (r.count > 0 && rows_int(&r, r.count - 1, 0) > atomic_load(&o->seen))
        atomic_store(&o->seen, rows_int(&r, r.count - 1, 0));
    const int handed = hand_out(o, &r);
    if (handed == r.count)
        return r.count == most ? LOOK_MORE : LOOK_DONE;
    note_gap(o, rows_int(&r, r.count - 1, 0));
    bool over = false;
    err = settle_gap(o, a, &over);
    return err ? LOOK_FAILED : over ? LOOK_MORE : LOOK_GAP;
}

/* Some of what is too old. True if there may be more. */
static bool prune(outbox *o, arena *a)
{
    const int64_t last = outbox_position(o), by_count = o->options.keep ? last - o->options.keep : -1;
    const int64_t by_age = o->options.keep_ms ? (int64_t)time(NULL) - (int64_t)(o->options.keep_ms / 1000) : INT64_MIN;
    const value old[] = { integer(o->oldest), integer(PRUNED), integer(by_count), integer(by_age) };
    rows r;
    if (ask(o, a, &r, &OLD, 4, old) || rows_null(&r, 0, 0))
        return false;
    const int64_t found = rows_int(&r, 0, 0), upto = found < last ? found : last - 1;
    const value range[] = { integer(o->oldest), integer(upto) };
    if (upto < o->oldest || ask(o, a, &r, o->orders ? &PRUNE_SQLITE : &PRUNE_POSTGRES, 2, range))
        return false;
    const bool more = upto - o->oldest >= PRUNED - 1;
    o->oldest = upto + 1;
    atomic_store(&o->pruned, upto);
    return more;
}

static void prune_if_due(outbox *o, arena *a)
{
    if (uv_hrtime() < o->next_prune || outbox_position(o) < 0)
        return;
    const bool more = prune(o, a);
    o->next_prune = more ? uv_hrtime() : deadline_in(PRUNING);
    arena_done(a);
}

/* When to look without having heard of anything. */
static uint64_t next_look(const outbox *o, look was)
{
    if (was == LOOK_MORE)
        return 0;
    if (was == LOOK_GAP)
        return o->gap_look;
    if (o->orders && was == LOOK_DONE)
        return o->next_prune;
    const uint64_t usual = was == LOOK_DONE && db_listener_hears(o->listener) ? HEARING : o->options.poll_ms;
    const uint64_t look = deadline_in(outbox_is_missing(o) ? MISSING : usual);
    return outbox_position(o) < 0 ? look : deadline_sooner(look, o->next_prune);     /* nothing is pruned before it begins */
}

static void note_lateness(outbox *o, look was)
{
    if (was == LOOK_DONE)
        atomic_store(&o->late_since, 0);
    else if (atomic_load(&o->late_since) == 0)
        atomic_store(&o->late_since, uv_hrtime());
}

static void *run_outbox(void *arg)
{
    outbox *o = arg;
    arena a = { 0 };
    look was = LOOK_MORE;
    uint64_t next = 0;
    pthread_setname_np(pthread_self(), "outbox");
    blocking_follow(o->ends[0], 0);
    while (db_listener_wait(o->listener, next) != UV_ECANCELED) {
        if (was == LOOK_GAP && uv_hrtime() < o->gap_look)
            continue;                        /* whatever it has heard: it looks soon enough */
        was = look_once(o, &a);
        note_lateness(o, was);
        arena_done(&a);
        prune_if_due(o, &a);
        next = next_look(o, was);
        /* Deaf: those who tell it meanwhile need not wake it. */
        if (was == LOOK_DONE || was == LOOK_GAP)
            blocking_wait(-1, 0, deadline_sooner(deadline_in(TOGETHER), was == LOOK_GAP ? o->gap_look : NO_DEADLINE));
    }
    arena_done(&a);
    return NULL;
}

int outbox_start(outbox **made, database *d, const outbox_options *options, outbox_receiver *receive, void *arg)
{
    outbox *o = mem_alloc(sizeof *o);
    *o = (outbox){ .database = d, .options = *options, .receive = receive, .arg = arg, .orders = !database_is_postgres(d),
                   .position = -1, .gap = -1, .asked = -1 };
    int err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, o->ends) ? -errno : 0;
    if (err)
        goto free;
    err = database_listen(&o->listener, d, OUTBOX_CHANNEL);
    if (err)
        goto close;
    err = thread_start(&o->thread, run_outbox, o);
    if (err)
        goto deaf;
    *made = o;
    return 0;
deaf:
    db_listener_close(o->listener);
close:
    close(o->ends[0]);
    close(o->ends[1]);
free:
    mem_free(o);
    return err;
}

void outbox_stop(outbox *o)
{
    close(o->ends[1]);
    db_listener_end(o->listener);
    pthread_join(o->thread, NULL);
    db_listener_close(o->listener);
    close(o->ends[0]);
    mem_free(o->writers);
    mem_free(o);
}

promise *outbox_read(const outbox *o, db *d, arena *a, rows *out, text topic, bool indexed, int64_t after, int limit)
{
    const value of[] = { string(topic), integer(after), integer(outbox_position(o)), integer(limit) };
    return promise_named(db_query(d, a, NULL, out, indexed ? &PAST_INDEXED : &PAST, 4, of));
}

/* There is one row even if nothing was found, for the last column. */
int outbox_past_count(const rows *r) { return r->count == 1 && rows_null(r, 0, 0) ? 0 : r->count; }

outbox_row outbox_past_row(const rows *r, int row)
{
    return (outbox_row){ .id = rows_int(r, row, 0), .event = rows_text(r, row, 1), .data = rows_text(r, row, 2) };
}

bool outbox_past_is_pruned(const rows *r, int64_t after) { return !rows_null(r, 0, 3) && rows_int(r, 0, 3) > after + 1; }
