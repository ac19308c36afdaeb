/* import.c - POST /import: posts, one a line as JSON, as many as the client sends.
 *
 * Each step that is slower than the one before it makes that one wait, back to the client, whose bytes then stay in
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
    BATCHES = 2,                             /* in the queue */
    LONGEST_LINE = 512 * 1024,               /* bytes: the longest post has room, even if each byte is escaped */
};

/* Reading. */

static void import_drop(importing *i, import_batch *b)
{
    if (b->count > 0)
        import_report_missing(&i->report, b->first, b->last);
    import_batch_free(b);
}

static async int import_push(importing *i)
{
    import_batch *b = i->batch;
    if (b->count == 0)
        return 0;
    i->batch = import_batch_new(i->report.lines + 1);
    const int err = await(queue_push(i->queue, b));
    if (err)
        import_drop(i, b);
    return err;
}

static async int import_take_line(importing *i, line_reader_found what, text line)
{
    char why[POST_WHY];
    i->report.lines = i->lines.number;
    if (what == LINE_READER_TOO_LONG) {
        snprintf(why, sizeof why, "The line is longer than %d bytes.", LONGEST_LINE);
        import_report_refuse(&i->report, i->lines.number, why);
        return 0;
    }
    if (text_is_blank(line)) {
        i->report.blank++;
        return 0;
    }
    import_batch_add(i->batch, i->lines.number, line);
    return import_batch_is_full(i->batch) ? import_push(i) : 0;
}

/* In a blocking thread, the workers need a turn before it waits for the client. */
static async int import_take_piece(importing *i, text piece)
{
    line_reader_found what;
    text line;
    int err = 0;
    line_reader_feed(&i->lines, piece);
    while (!err && (what = line_reader_next(&i->lines, &line)) != LINE_READER_MORE)
        err = import_take_line(i, what, line);
    if (err)
        return err;
    import_hand_over(i);
    return task_yield();
}

static async int import_read(void *arg)
{
    importing *i = arg;
    text piece, line;
    int err;
    while (!(err = request_read(i->req, &piece))) {
        err = import_take_piece(i, piece);
        if (err)
            return err;
    }
    if (err == UV_EOF) {
        const line_reader_found what = line_reader_last(&i->lines, &line);
        err = what == LINE_READER_MORE ? 0 : import_take_line(i, what, line);
    }
    const int unstored = import_push(i);            /* if it broke off, too: these lines are whole */
    return err ? err : unstored;
}

/* The whole. */

static int import_begin(importing *i)
{
    int err = 0;
    i->queue = queue_new(BATCHES, NULL);
    i->workers = background_new(WORKERS);
    i->batch = import_batch_new(1);
    for (int k = 0; k < WORKERS && !err; k++)
        err = background_start(i->workers, "import", import_store, i, NULL);
    return err;
}

/* When the client has sent all: the workers import_end with the last batch. When they import_end before, the database has
 * failed, and the rest need not be read. When this task is cancelled, so is all that it waits for. */
static async int import_all(importing *i)
{
    int err = await(race(task_start("import: reading", import_read, i), background_join(i->workers)));
    queue_close(i->queue);
    const int unfinished = await(background_join(i->workers));
    return i->failed ? i->failed : err ? err : unfinished;
}

static async void import_end(importing *i)
{
    void *left;
    await(background_stop(i->workers));
    queue_close(i->queue);
    while (!await(queue_pop(i->queue, &left)))
        import_drop(i, left);
    import_drop(i, i->batch);
    background_free(i->workers);
    queue_free(i->queue);
    line_reader_done(&i->lines);
}

/* What curl calls a body whose type it was not told, too. */
static bool import_accepts(text type)
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
    if (!import_accepts(request_type(req)))
        return respond_problem(req, 415, "An import comes as application/x-ndjson: a post a line, as JSON.");

    importing i = { .req = req, .lines.limit = LONGEST_LINE, .report.arena = request_arena(req), .told = uv_hrtime() };
    int err = import_begin(&i);
    if (!err)
        err = import_all(&i);
    import_end(&i);
    import_tell(&i, import_report_reason(err));
    const int status = import_report_status(&i.report, err);
    if (status == 503)
        respond_header(req, "Retry-After", "1");
    respond(req, status, err ? "application/problem+json" : "application/json", import_report_json(&i.report, err));
    return err;
}
