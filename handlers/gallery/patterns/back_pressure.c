/* back_pressure.c - a producer that is faster than its consumers, and waits for them. */
#include "pattern.h"
#include "server/async/queue.h"

SHOW_FROM(back_pressure)
enum { ITEMS = 24, ROOM = 4 };

struct belt { run *r; queue *q; int consumed; };

static async int produce(void *arg)
{
    static int item;                         /* what is in it does not matter here */
    struct belt *b = arg;
    int err = 0;
    for (int i = 0; !err && i < ITEMS; i++) {
        err = await(sleep_for(1));           /* to make one is quick */
        if (!err)
            err = await(queue_push(b->q, &item));            /* waits while the queue is full */
        plot(b->r, "in the queue", (int64_t)queue_length(b->q));
    }
    queue_close(b->q);
    return err;
}

static async int consume(void *arg)
{
    struct belt *b = arg;
    void *item;
    int err;
    while (!(err = await(queue_pop(b->q, &item)))) {
        plot(b->r, "in the queue", (int64_t)queue_length(b->q));
        err = await(sleep_for(8));           /* to use one is not */
        b->consumed++;
        queue_done(b->q);
        if (err)
            return err;
    }
    return err == UV_EOF ? 0 : err;
}

static async int run_back_pressure(run *r)
{
    struct belt belt = { r, queue_new(ROOM, NULL), 0 };
    int err = await(gather(task_start("producer", produce, &belt),
                           task_start("consumer", consume, &belt),
                           task_start("consumer", consume, &belt)));
    figure_is(r, "produced", ITEMS, "");
    figure_is(r, "consumed", belt.consumed, "");
    figure_is(r, "room in the queue", ROOM, "");
    queue_free(belt.q);
    return err;
}
SHOW_TO(back_pressure)

const pattern PATTERN_BACK_PRESSURE = {
    .name = "back-pressure", .title = "Producer and consumers, with back-pressure", .group = GROUP_BOUNDS,
    .await = run_back_pressure, SOURCE_OF(back_pressure),
    .shows = "The queue has room for four. The producer makes an item in a millisecond; it is held to the pace of its"
             " consumers by awaiting room. That is what keeps memory flat when a client uploads more than a disk can take.",
};
