/* back_pressure.c - a producer that is faster than its consumers, and waits for them; and for all to be done. */
#include "pattern.h"
#include "server/async/queue.h"

SHOW_FROM(back_pressure)
enum { ITEMS = 400, ROOM = 100, CONSUMERS = 4 };

struct belt { run *r; queue *q; int produced, done, waits, unfinished; };

static async int produce(void *arg)
{
    static int item;                         /* what is in it does not matter here */
    struct belt *b = arg;
    int err = 0;
    while (!err && b->produced < ITEMS) {
        b->waits += queue_length(b->q) == ROOM;
        err = await(queue_push(b->q, &item));                /* waits while the queue is full */
        b->produced += !err;
        plot(b->r, "in the queue", (int64_t)queue_length(b->q));
    }
    mark(b->r, "the last one is in the queue");
    if (!err)
        err = await(queue_join(b->q));       /* until each has been reported done */
    b->unfinished = b->produced - b->done;
    mark(b->r, "all are done");
    queue_close(b->q);                       /* and so the consumers end */
    return err;
}

static async int consume(void *arg)
{
    struct belt *b = arg;
    void *item;
    int err;
    while (!(err = await(queue_pop(b->q, &item)))) {
        plot(b->r, "in the queue", (int64_t)queue_length(b->q));
        err = await(sleep_for(1));           /* to use one takes time; to make one took none */
        b->done++;
        queue_done(b->q);                    /* as task_done in Python */
        if (err)
            return err;
    }
    return err == UV_EOF ? 0 : err;
}

static async int run_back_pressure(run *r)
{
    struct belt belt = { r, queue_new(ROOM, NULL), 0, 0, 0, 0 };
    promise *all[1 + CONSUMERS];
    all[0] = task_start("producer", produce, &belt);
    for (int i = 1; i <= CONSUMERS; i++)
        all[i] = task_start("consumer", consume, &belt);
    const int err = await(promise_gather(all, 1 + CONSUMERS));

    figure_is(r, "produced", belt.produced, "");
    figure_is(r, "done", belt.done, "");
    figure_is(r, "room in the queue", ROOM, "");
    figure_is(r, "pushes that had to wait", belt.waits, "");
    figure_is(r, "not yet done when join returned", belt.unfinished, "");
    queue_free(belt.q);
    return err;
}
SHOW_TO(back_pressure)

const pattern PATTERN_BACK_PRESSURE = {
    .name = "back-pressure", .title = "Producer and consumers, with back-pressure", .group = GROUP_BOUNDS,
    .await = run_back_pressure, SOURCE_OF(back_pressure),
    .shows = "The queue has room for a hundred items. The producer fills it at once, and from then on is held to the pace of"
             " its four consumers, by awaiting room: so memory stays flat when a client uploads more than a disk can take."
             " When the last item is in, the producer waits once more, until each has been reported done (queue_join, which is"
             " Python's join; queue_done is its task_done), and only then closes the queue, which ends the consumers.",
};
