/* loop_stream.c - GET /loop/events?loop=1: what a loop does, as it does it (loop_json.h), and once a second what waits
 * (loop_look.h).
 *
 *     event: turns
 *     data: {"loop": 1, ...}
 *
 *     event: look
 *     data: {"mode": "async", ...}
 *
 * Ten times a second a job on the pool reads what was recorded meanwhile and writes it down: the loop itself has nothing to do
 * but to send that. In threads mode there is no loop, and what waits is told twice a second. A client that is slow is
 * sent less, and told how much it missed. */
#include "handlers/handlers.h"
#include "loop_json.h"
#include "loop_look.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/overload/refusal.h"
#include "server/executor/thread_pool.h"
#include "server/http/events/events.h"

#include <stdatomic.h>

enum { VIEWERS = 8, TICK = 100, TICKS_OF_LOOK = 10, THREADS_TICK = 500 };    /* milliseconds */

typedef struct viewer {
    loop_view view;
    int       loop;
    int       ticks;                         /* until it looks at what waits */
    bool      has_loop;
    arena     texts;                         /* these end with the next tick */
    text      turns, look;                   /* to be sent; of no length: nothing */
    loop_look seen;
} viewer;

static atomic_int viewers;

static void viewer_end(void *arg)
{
    viewer *const v = arg;
    loop_view_end(&v->view);
    arena_done(&v->texts);
    atomic_fetch_sub(&viewers, 1);
}

/* On the pool, or in the client's own thread. */
static int viewer_tick(void *arg)
{
    viewer *const v = arg;
    char why[256];
    buffer b;
    arena_done(&v->texts);
    v->turns = v->look = TEXT("");
    if (v->has_loop) {
        loop_view_collect(&v->view);
        buffer_init(&b, &v->texts);
        loop_view_write_json(&b, &v->view, v->loop);
        v->turns = buffer_all(&b);
    }
    if (v->ticks-- > 0)
        return 0;
    v->ticks = v->has_loop ? TICKS_OF_LOOK - 1 : 0;
    const int err = loop_look_take(&v->seen, &v->texts, v->loop, why, sizeof why);
    if (err)
        return 0;                            /* it is looked at again later */
    buffer_init(&b, &v->texts);
    loop_look_write_json(&b, &v->seen);
    v->look = buffer_all(&b);
    return 0;
}

static async int viewer_send(request *req, const viewer *v)
{
    int err = 0;
    if (v->turns.length > 0)
        err = await(event_send(req, (event){ .event = TEXT("turns"), .data = v->turns }));
    if (!err && v->look.length > 0)
        err = await(event_send(req, (event){ .event = TEXT("look"), .data = v->look }));
    return err;
}

static async int viewer_run(request *req, viewer *v)
{
    int err = respond_events(req);
    while (!err) {
        err = await(in_thread(viewer_tick, v));
        if (!err)
            err = viewer_send(req, v);
        else if (refusal_is(err))
            err = 0;                         /* the pool has more important things to do */
        if (!err)
            err = await(sleep_for(v->has_loop ? TICK : THREADS_TICK));
    }
    return err;
}

async int loop_events(request *req)
{
    int64_t loop = 1;
    if (request_query_int(req, "loop", &loop) || loop < 1 || loop > INT32_MAX)
        return respond_problem(req, 400, "Loops are numbered from 1 on: ?loop=1.");
    if (text_equal(request_header(req, "sec-fetch-site"), TEXT("cross-site")))
        return respond_problem(req, 403, "A page of another site may not look at the loops.");
    if (atomic_fetch_add(&viewers, 1) >= VIEWERS) {
        atomic_fetch_sub(&viewers, 1);
        return respond_problem(req, 503, "As many look at the loops already as may: %d.", VIEWERS);
    }
    viewer *const v = request_alloc(req, sizeof *v);
    v->has_loop = loop_here();
    v->loop = v->has_loop ? (int)loop : 0;
    arena_defer(request_arena(req), viewer_end, v);
    if (v->has_loop && loop_view_begin(&v->view, v->loop, label_of("GET /loop/events")))
        return respond_problem(req, 404, recorder_watch_count(NULL, 0) ? "There is no such loop."
                                                                       : "Nothing is recorded here ([log] recorder is 0).");
    return viewer_run(req, v);
}
