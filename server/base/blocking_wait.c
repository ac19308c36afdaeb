/* blocking_wait.c - see blocking_wait.h. */
#include "blocking_wait.h"

#include <assert.h>
#include <errno.h>
#include <uv.h>

static const uint64_t MS = 1000000;

static _Thread_local struct {
    int      client;                         /* fd + 1; 0 for none */
    uint64_t half_close;                     /* nanoseconds for the answer to a client that will send no more */
    uint64_t end;                            /* when they are over; 0 while it may still send */
    bool     cancelled;
    uint64_t deadline;                       /* 0 while there is none */
    struct {
        uint64_t (*run)(void *arg);          /* NULL: there is none */
        void    *arg;
        int      fd;
        uint64_t due;
    } errand;
} here;

void blocking_follow(int client, uint64_t half_close_ms)
{
    here.client = client + 1;
    here.half_close = half_close_ms * MS;
    here.end = 0;
    here.cancelled = false;
}

void     blocking_limit(uint64_t deadline) { here.deadline = deadline == NO_DEADLINE ? 0 : deadline; }
uint64_t blocking_deadline(void)           { return here.deadline ? here.deadline : NO_DEADLINE; }
bool     blocking_late(void)               { return here.deadline && uv_hrtime() >= here.deadline; }

uint64_t blocking_next_look(int waiting)
{
    return deadline_in(waiting > BLOCKING_LOOK_MS ? (uint64_t)waiting : BLOCKING_LOOK_MS);
}

void blocking_errand(int fd, uint64_t due, uint64_t (*run)(void *arg), void *arg)
{
    here.errand.run = run;
    here.errand.arg = arg;
    here.errand.fd = fd;
    here.errand.due = due;
}

static uint64_t errand_due(void) { return here.errand.run ? here.errand.due : NO_DEADLINE; }

static void errand_run_if_due(bool called, uint64_t now)
{
    if (here.cancelled || !here.errand.run || (!called && now < here.errand.due))
        return;
    if (called)
        here.errand.fd = -1;
    here.errand.due = here.errand.run(here.errand.arg);
    here.cancelled = here.errand.due == BLOCKING_ENOUGH;
}

static void look_at_client(short revents, uint64_t now)
{
    if (revents & (POLLERR | POLLHUP | POLLNVAL))
        here.cancelled = true;
    else if (revents & POLLRDHUP && !here.end)
        here.end = now + here.half_close;
    if (here.end && now >= here.end)
        here.cancelled = true;
}

void blocking_add(blocking_set *s, int fd, short events)
{
    assert(s->count < BLOCKING_MOST);
    s->on[s->count++] = (struct pollfd){ fd, events, 0 };    /* negative ones are passed over */
}

static bool blocking_set_is_ready(const blocking_set *s)
{
    int i = 0;
    while (i < s->count && !s->on[i].revents)
        i++;
    return i < s->count;
}

static int blocking_poll(blocking_set *s)
{
    struct pollfd *const client = &s->on[s->count], *const errand = client + 1;
    const uint64_t until = deadline_sooner(s->until, blocking_deadline());
    for (uint64_t now = uv_hrtime(); !here.cancelled;) {
        const uint64_t stop = deadline_sooner(here.end && here.end < until ? here.end : until, errand_due());
        *client = (struct pollfd){ here.client - 1, here.end ? 0 : POLLRDHUP, 0 };
        *errand = (struct pollfd){ here.errand.run ? here.errand.fd : -1, POLLIN, 0 };
        const int n = poll(s->on, (nfds_t)s->count + 2, deadline_poll_ms_at(stop, now));
        now = uv_hrtime();
        if (n < 0 && errno != EINTR)
            return -errno;
        look_at_client(n > 0 ? client->revents : 0, now);
        errand_run_if_due(n > 0 && errand->revents, now);
        if (n > 0 && !here.cancelled && blocking_set_is_ready(s))
            return 0;
        if (now >= until && !here.cancelled)
            return UV_ETIMEDOUT;
    }
    return UV_ECANCELED;
}

int blocking_wait_for(blocking_set *s)
{
    const uint64_t since = uv_hrtime();
    const int err = blocking_poll(s);
    blocking_has_waited(since);
    return err;
}

int blocking_wait(int fd, short events, uint64_t until)
{
    blocking_set s = { .until = until };
    blocking_add(&s, fd, events);
    return blocking_wait_for(&s);
}

bool blocking_cancelled(void)
{
    struct pollfd on[] = { { here.client - 1, POLLRDHUP, 0 }, { here.errand.run ? here.errand.fd : -1, POLLIN, 0 } };
    if (here.client && !here.cancelled && poll(on, 2, 0) >= 0) {
        const uint64_t now = uv_hrtime();
        look_at_client(on[0].revents, now);
        errand_run_if_due(on[1].revents, now);
    }
    return here.cancelled;
}

static _Thread_local struct { uint64_t since, end; } waited;

void blocking_has_waited(uint64_t since)
{
    waited.since = waited.since ? waited.since : since;
    waited.end = uv_hrtime();
}

bool blocking_waited(uint64_t *since, uint64_t *end)
{
    if (!waited.since)
        return false;
    *since = waited.since;
    *end = waited.end;
    waited.since = 0;
    return true;
}
