/* openloop.c - asks at a given rate, whatever becomes of what was asked before.
 *
 *   openloop PORT PATH CONNECTIONS DEPTH STEP ...
 *
 * It opens CONNECTIONS, and then goes through the steps (steps.h) on them. In an open step,
 * requests are due at fixed moments, a millisecond apart and as many at each as make up the rate.
 * Each is sent on the next connection in turn, behind those without an answer (pipelined); what the
 * socket does not take waits here, and is given up after a second. With DEPTH, a request that finds
 * so many without an answer on its connection is given up at once; 0 is as many as there is memory
 * for. A # in PATH becomes a random number up to 10,000. A closed step uses the first 128
 * connections, or all if there are fewer, and finds the most that can be had.
 *
 * So a server that stalls is asked no less, and a latency counts from when the request was due: a
 * closed loop leaves out just what a stall would have delayed.
 *
 * It takes little CPU, for it shares a processor: it sleeps until a millisecond is over, then
 * sends what is due with one write for each connection, and reads what has come. How late the
 * kernel or its own work makes it, it says (slices.h); beyond 100 ms it leaves out what it has
 * missed.
 *
 * Output is lines of JSON. When a step begins:
 *     {"step": 1, "at": 81230001, "closed": false, "factor": 0.8, "rate": 13200}
 * and when all have ended, or at SIGTERM:
 *     {"end": 81290001, "connections": 256, "outstanding": 12}
 * and a line for each slice of 50 ms. Times are microseconds of CLOCK_MONOTONIC. */
#include "clock.h"
#include "connection.h"
#include "fail.h"
#include "slices.h"
#include "steps.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum {
    CLOSED = 128,              /* connections of a closed step */
    OUTSTANDING = 1024 * 1024, /* requests, of all connections */
    TICK = MILLISECOND,
    SLICE = 50 * MILLISECOND,
    HOPELESS = 100 * MILLISECOND, /* late: what was due before is left out */
    STEPS = 64,
    EVENTS = 512,
};

static target to = { .accept = "application/json", .most = 10000, .patience = SECOND };
static connection *all;
static int count, next; /* connections; the one whose turn it is */
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* Takes what has come; waits for it as long as is said. again: who has its answer asks again. */
static void receive(int wait_ms, int again)
{
    struct epoll_event events[EVENTS];
    for (int passes = count / EVENTS + 1, n = EVENTS; passes > 0 && n == EVENTS; passes--) {
        n = epoll_wait(to.poller, events, EVENTS, wait_ms);
        wait_ms = 0;
        for (int i = 0; i < n; i++) {
            connection *c = events[i].data.ptr;
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                connection_read(c);
            if (c - all < again && connection_is_idle(c))
                connection_ask(c, &to, clock_now());
            if (c->fd < 0 ? c - all < again : c - all < again || c->wants_room)
                connection_flush(c, &to);
        }
    }
}

static double good_answers(int64_t from, int64_t until)
{
    double good = 0;
    for (int64_t at = from; at < until; at += SLICE)
        good += (double)slice_at(at)->good;
    return good;
}

/* The rate of good answers, without the first fifth, in which everything gets warm. */
static double closed_step(int64_t begin, int64_t end)
{
    const int busy = count < CLOSED ? count : CLOSED;
    for (int i = 0; i < busy; i++)
        if (connection_is_idle(&all[i])) {
            connection_ask(&all[i], &to, begin);
            connection_flush(&all[i], &to);
        }
    while (clock_now() < end && !stopped) {
        receive(1, busy);
        for (int i = 0; i < busy; i++) /* those that broke */
            if (all[i].fd < 0)
                connection_flush(&all[i], &to);
    }
    const int64_t warm = begin + (end - begin) / 5 / SLICE * SLICE;
    const int64_t whole = (end - warm) / SLICE * SLICE;
    return good_answers(warm, warm + whole) / ((double)whole / SECOND);
}

/* What is due at a moment, on the connections whose turn it is. */
static void ask(int many, int64_t due, int64_t now)
{
    if (now - due > HOPELESS) {
        slice_at(due)->missed += many;
        return;
    }
    for (int i = 0; i < many; i++) {
        connection_ask(&all[next], &to, due);
        next = (next + 1) % count;
    }
    slice *s = slice_at(due);
    if (now - due > LATE)
        s->late += many;
    if (now - due > s->lag)
        s->lag = now - due;
}

static void open_step(int64_t begin, int64_t end, double rate)
{
    int64_t tick = 0, asked = 0;
    const int64_t ticks = (end - begin) / TICK;
    while (tick < ticks && !stopped) {
        clock_sleep_until(begin + tick * TICK);
        const int64_t now = clock_now();
        const int first = next;
        const int64_t before = asked;
        for (; tick < ticks && begin + tick * TICK <= now; tick++) {
            const int64_t whole = (int64_t)(rate * (double)(tick + 1) * TICK / SECOND);
            ask((int)(whole - asked), begin + tick * TICK, now);
            asked = whole;
        }
        for (int i = 0; i < count && i < asked - before; i++)
            connection_flush(&all[(first + i) % count], &to);
        receive(0, 0);
        /* With a slow rate, sleep until the next one is due. */
        const int64_t due = (int64_t)((double)(asked + 1) / rate * SECOND / TICK) - 1;
        if (due > tick && due < ticks)
            tick = due;
    }
}

static void run(const step *steps, int many)
{
    double maximum = 0;
    int64_t begin = clock_now();
    slices_start(begin, SLICE);
    for (int n = 0; n < many && !stopped; n++) {
        const step *s = &steps[n];
        const double rate = s->relative ? s->amount * maximum : s->amount;
        const int64_t end = begin + (int64_t)(s->seconds * SECOND);
        if (!s->closed && !(rate > 0))
            fail("no good answer in the closed step before step %d", n);
        printf("{\"step\": %d, \"at\": %lld, \"closed\": %s, \"factor\": %g, \"rate\": %.0f}\n", n,
               (long long)begin, s->closed ? "true" : "false", s->relative ? s->amount : 0, rate);
        fflush(stdout);
        if (s->closed)
            maximum = closed_step(begin, end);
        else
            open_step(begin, end, rate);
        begin = end;
    }
}

int main(int argc, char *argv[])
{
    step steps[STEPS];
    const int many = argc - 5;
    if (many < 1 || many > STEPS || (count = atoi(argv[3])) < 1)
        fail("openloop PORT PATH CONNECTIONS DEPTH STEP ...");
    for (int n = 0; n < many; n++)
        if (!step_read(argv[5 + n], &steps[n]))
            fail("%s is no step", argv[5 + n]);
    to.port = atoi(argv[1]);
    to.path = argv[2];
    to.depth = (uint32_t)atoi(argv[4]);
    if (to.depth < 1 || to.depth > (uint32_t)(OUTSTANDING / count))
        to.depth = (uint32_t)(OUTSTANDING / count);
    if (strlen(to.path) > 256)
        fail("the path is too long");

    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);

    to.poller = epoll_create1(0);
    all = calloc((size_t)count, sizeof *all);
    if (!all)
        fail("no memory");
    for (int i = 0; i < count; i++)
        connection_init(&all[i], &to);
    run(steps, many);

    long outstanding = 0;
    for (int i = 0; i < count; i++)
        outstanding += ring_count(&all[i].outstanding) + ring_count(&all[i].waiting);
    printf("{\"end\": %lld, \"connections\": %d, \"outstanding\": %ld}\n", (long long)clock_now(),
           count, outstanding);
    slices_print(stdout);
    return 0;
}
