/* import_store.c - see import.h: the workers of an import. */
#include "import.h"
#include "server/async/queue.h"
#include "server/async/task.h"
#include "server/executor/thread_pool.h"
#include "server/async/timing.h"
#include "server/base/log.h"
#include "server/base/overload/refusal.h"
#include "server/base/errors.h"
#include "handlers/site.h"

#include <stdio.h>
#include <time.h>

enum {
    TRIES = 50, PAUSE_MS = 100,              /* when all else is busy */
    MOST_DECLINED = 1000,                    /* in a row: then it is not the lines */
    TELL_MS = 10000,                         /* between two lines of the log on how far it is */
};

/* Stores those whose user is there, and returns the user of each. A join would read all users for a few lines. Each database
 * has a way of its own to read the JSON only once.
 *
 * They are not published: thousands a second of them would push what people write out of the outbox, and out of what topics
 * keep. A page that follows its user shows them when it is loaded the next time. */
static const statement IMPORT_ON_POSTGRES = {
    .name = "posts_import",
    .sql  = "insert into posts (user_id, title, body, created_at)"
            " select line.\"user\", line.title, line.body, $2"
            " from json_to_recordset(json($1)) as line (\"user\" bigint, title text, body text)"
            " where (select id from users where id = line.\"user\") is not null"
            " returning user_id",
    .columns = "i",
};

static const statement IMPORT_ON_SQLITE = {
    .name = "posts_import",
    .sql  = "insert into posts (user_id, title, body, created_at)"
            " select line.value ->> 'user', line.value ->> 'title', line.value ->> 'body', $2"
            " from json_each($1) as line"
            " where (select id from users where id = line.value ->> 'user') is not null"
            " returning user_id",
    .columns = "i",
};

/* What was only busy, or undone for the sake of others, has done nothing: it may be asked again, in a moment. */
static async bool may_try_again(int err, int *tries)
{
    return (err == UV_EAGAIN || refusal_is(err) || err_is_transient(err)) && ++*tries < TRIES && await(sleep_for(PAUSE_MS)) == 0;
}

static bool has_user(const rows *users, int64_t user)
{
    for (int i = 0; i < users->count; i++)
        if (rows_int(users, i, 0) == user)
            return true;
    return false;
}

/* The lines of one user share one fate: the statement sees that user, or it does not. */
static void note_stored(importing *i, const import_batch *b, int from, int to, const rows *users)
{
    char why[POST_WHY];
    i->report.stored += (uint64_t)users->count;
    for (int k = from; k < to && users->count < to - from; k++)
        if (!has_user(users, b->lines[k].user)) {
            snprintf(why, sizeof why, "There is no user %lld.", (long long)b->lines[k].user);
            import_report_refuse(&i->report, b->lines[k].number, why);
        }
}

static async int store_lines(importing *i, const import_batch *b, int from, int to)
{
    const statement *const s = site_on_postgres() ? &IMPORT_ON_POSTGRES : &IMPORT_ON_SQLITE;
    arena a;
    rows users;
    int err, tries = 0;

    arena_init(&a, NULL, 0);
    const value parameters[] = { string(import_batch_json(b, from, to, &a)), integer((int64_t)time(NULL)) };
    do
        err = await(site_query_in(i->req, &a, &users, s, 2, parameters));
    while (may_try_again(err, &tries));
    if (!err)
        note_stored(i, b, from, to, &users);
    arena_done(&a);
    return err;
}

/* When the database says no to many, it says so to one of them: which, is found by halves. */
static async int store_by_halves(importing *i, const import_batch *b, int from, int to)
{
    int err = store_lines(i, b, from, to);
    if (err != DB_EQUERY) {
        if (err)
            (err == ERR_UNCERTAIN ? import_report_uncertain : import_report_missing)(&i->report, b->lines[from].number,
                                                                       b->lines[to - 1].number);
        else
            i->declined = 0;
        return err;
    }
    if (to - from == 1) {
        import_report_refuse(&i->report, b->lines[from].number, "The database does not take it.");
        return ++i->declined < MOST_DECLINED ? 0 : err;
    }
    const int middle = from + (to - from) / 2;
    err = store_by_halves(i, b, from, middle);
    if (!err)
        return store_by_halves(i, b, middle, to);
    import_report_missing(&i->report, b->lines[middle].number, b->lines[to - 1].number);
    return err;
}

static async int import_store_batch(importing *i, import_batch *b)
{
    int err, tries = 0;
    do
        err = await(in_thread(import_batch_check, b));
    while (may_try_again(err, &tries));
    if (err) {
        import_report_missing(&i->report, b->first, b->last);
        return err;
    }
    for (int k = b->good; k < b->count; k++)
        import_report_refuse(&i->report, b->lines[k].number, b->lines[k].why);
    return b->good > 0 ? store_by_halves(i, b, 0, b->good) : 0;
}

void import_tell(const importing *i, const char *how)
{
    log_info("import: %llu lines, %llu stored, %llu refused, after %.1f s: %s", (unsigned long long)i->report.lines,
             (unsigned long long)i->report.stored, (unsigned long long)i->report.refused,
             (double)(uv_hrtime() - request_started(i->req)) / 1e9, how);
}

static void import_tell_now_and_then(importing *i)
{
    const uint64_t now = uv_hrtime();
    if (now - i->told < TELL_MS * 1000000ull)
        return;
    i->told = now;
    import_tell(i, "it goes on");
}

void import_hand_over(importing *i)
{
    if (queue_length(i->queue) == 0 && i->batch->count > 0 && queue_try_push(i->queue, i->batch))
        i->batch = import_batch_new(i->report.lines + 1);
}

async int import_store(void *arg)
{
    importing *i = arg;
    void *next;
    while (!i->failed) {
        import_hand_over(i);
        int err = await(queue_pop(i->queue, &next));
        if (err)
            break;
        err = import_store_batch(i, next);
        if (err && !i->failed)
            i->failed = err;
        import_batch_free(next);
        queue_done(i->queue);
        import_tell_now_and_then(i);
    }
    if (i->failed)
        queue_close(i->queue);
    return 0;
}
