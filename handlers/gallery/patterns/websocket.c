/* websocket.c - one socket, two tasks: one says what it has to say, the other hears what comes, and neither waits for the
 * other. */
#include "loopback.h"

SHOW_FROM(websocket)
enum { MESSAGES = 6 };

struct talk { run *r; loopback *socket; int heard; };

static async int speak(void *arg)
{
    struct talk *t = arg;
    int err = 0;
    for (int i = 1; !err && i <= MESSAGES; i++) {
        err = loopback_send(t->socket, text_of(arena_printf(request_arena(t->r->req), "message %d", i)));
        if (!err)
            err = await(sleep_for(20));      /* what it says next does not depend on an answer */
    }
    return err;
}

static async int listen_to_it(void *arg)
{
    struct talk *t = arg;
    text message;
    int err = 0;
    while (!err && t->heard < MESSAGES && !(err = loopback_receive(t->socket, &message))) {
        mark(t->r, message.at);
        t->heard++;
    }
    return err;
}

static async int run_websocket(run *r)
{
    struct talk talk = { .r = r };
    int err = loopback_open(r, "/ws/echo", LOOPBACK_WEBSOCKET, &talk.socket);
    if (!err)
        err = await(gather(task_start("speaks", speak, &talk),
                           task_start("listens", listen_to_it, &talk)));
    figure_is(r, "said", MESSAGES, "messages");
    figure_is(r, "heard", talk.heard, "messages");
    return err;
}
SHOW_TO(websocket)

const pattern PATTERN_WEBSOCKET = {
    .name = "websocket", .title = "A websocket: one socket, two tasks", .group = GROUP_REAL_TIME, .await = run_websocket,
    SOURCE_OF(websocket),
    .shows = "The server is its own client, at /ws/echo. One task sends, one receives, on one connection: what comes is heard"
             " while the other sleeps. A thread that blocks waits for one thing: in threads mode it says all, then hears all.",
};
