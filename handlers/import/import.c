/* import.c - POST /import: posts, one a line as JSON, as many as the client sends.
 *
 * Whoever is slower than the one before it makes that one wait, back to the client, whose bytes then stay in
 * its own machine: so a gigabyte takes no more memory than a megabyte does. */
#include "import.h"
#include "handlers/handlers.h"
#include "server/async/background.h"
#include "server/async/combine.h"
#include "server/async/queue.h"
#include "server/async/task.h"
#include "server/http/message/head.h"
#include "handlers/site.h"

#include <stdio.h>

enum {
    WORKERS = 2,                             /* while one waits for its commit, the other checks */
    BATCHES = 4,                             /* in the queue */
    LONGEST_LINE = 512 * 1024,               /* bytes: the longest post has room, even if each byte is escaped */
};

/* Reading. */

static void drop(importing *i, batch *b)
{
    if (b->count > 0)
        report_missing(&i->report, b->first, b->last);
    batch_free(b);
}

static async int push(importing *i)
{
    batch *b = i->batch;
    if (b->count == 0)
        return 0;
    i->batch = batch_new(i->report.lines + 1);
    const int err = await(queue_push(i->queue, b));
    if (err)
        drop(i, b);
    return err;
}

static async int take_line(importing *i, lines_what what, text line)
{
    char why[POST_WHY];
    i->report.lines = i->lines.number;
    if (what == LINES_TOO_LONG) {
        snprintf(why, sizeof why, "The line is longer than %d bytes.", LONGEST_LINE);
        report_refuse(&i->report, i->lines.number, why);
        return 0;
    }
    if (text_is_blank(line)) {
        i->report.blank++;
        return 0;
    }
    batch_add(i->batch, i->lines.number, line);
    return batch_is_full(i->batch) ? push(i) : 0;
}

/* In a blocking thread, the workers need a turn before it waits for the client. */
static async int take_piece(importing *i, text piece)
{
    lines_what what;
    text line;
    int err = 0;
    lines_feed(&i->lines, piece);
    while (!err && (what = lines_next(&i->lines, &line)) != LINES_MORE)
        err = take_line(i, what, line);
    if (err)
        return err;
    import_hand_over(i);
    return task_yield();
}

static async int take_last_line(importing *i)
{
    text line;
    const lines_what what = lines_last(&i->lines, &line);
    return what == LINES_MORE ? 0 : take_line(i, what, line);
}

static async int read_lines(void *arg)
{
    importing *i = arg;
    text piece;
    int err;
    while (!(err = request_read(i->req, &piece))) {
        err = take_piece(i, piece);
        if (err)
            return err;
    }
    if (err == UV_EOF)
        err = take_last_line(i);
    const int unstored = push(i);            /* if it broke off, too: these lines are whole */
    return err ? err : unstored;
}

/* The whole. */

static int begin(importing *i)
{
    int err = 0;
    i->queue = queue_new(BATCHES, NULL);
    i->workers = background_new(WORKERS);
    i->batch = batch_new(1);
    for (int k = 0; k < WORKERS && !err; k++)
        err = background_start(i->workers, "import", import_store, i, NULL);
    return err;
}

/* When the client has sent all: the workers end with the last batch. When they end before, the database has
 * failed, and the rest need not be read. When this task is cancelled, so is all that it waits for. */
static async int import_all(importing *i)
{
    int err = await(race(task_start("import: reading", read_lines, i), background_join(i->workers)));
    queue_close(i->queue);
    const int unfinished = await(background_join(i->workers));
    return i->failed ? i->failed : err ? err : unfinished;
}

static async void end(importing *i)
{
    void *left;
    await(background_stop(i->workers));
    queue_close(i->queue);
    while (!await(queue_pop(i->queue, &left)))
        drop(i, left);
    drop(i, i->batch);
    background_free(i->workers);
    queue_free(i->queue);
    lines_done(&i->lines);
}

static int respond_report(importing *i, int err)
{
    const int status = report_status(&i->report, err);
    if (status == 503)
        respond_header(i->req, "Retry-After", "1");
    respond(i->req, status, err ? "application/problem+json" : "application/json", report_json(&i->report, err));
    return err;
}

/* What curl calls a body whose type it was not told, too. */
static bool is_welcome(text type)
{
    static const char *const TYPES[] = {
        "", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-www-form-urlencoded",
    };
    for (size_t k = 0; k < sizeof TYPES / sizeof *TYPES; k++)
        if (text_is(type, TYPES[k]))
            return true;
    return false;
}

async int import(request *req)
{
    if (!is_welcome(request_type(req)))
        return respond_problem(req, 415, "An import comes as application/x-ndjson: a post a line, as JSON.");

    importing i = { .req = req, .lines.limit = LONGEST_LINE, .report.arena = request_arena(req), .told = uv_hrtime() };
    int err = begin(&i);
    if (!err)
        err = import_all(&i);
    end(&i);
    import_tell(&i, report_reason(err));
    return respond_report(&i, err);
}
