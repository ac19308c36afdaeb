/* blocking_wait.c - see blocking_wait.h. */
#include "blocking_wait.h"
#include "deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <uv.h>

static const uint64_t MS = 1000000;

static _Thread_local struct {
    int      client;                         /* fd + 1; 0 for none */
    uint64_t farewell;                       /* nanoseconds for the answer to a client that has said all */
    uint64_t end;                            /* when that is over; 0 while it may still send */
    bool     cancelled;
    uint64_t deadline;                       /* 0 while there is none */
} here;

void blocking_follow(int client, uint64_t half_close_ms)
{
    here.client = client + 1;
    here.farewell = half_close_ms * MS;
    here.end = 0;
    here.cancelled = false;
}

void     blocking_limit(uint64_t deadline) { here.deadline = deadline == NO_DEADLINE ? 0 : deadline; }
uint64_t blocking_deadline(void)           { return here.deadline ? here.deadline : NO_DEADLINE; }
bool     blocking_late(void)               { return here.deadline && uv_hrtime() >= here.deadline; }

uint64_t deadline_in(uint64_t ms)
{
    const uint64_t now = uv_hrtime();
    return ms < (NO_DEADLINE - now) / MS ? now + ms * MS : NO_DEADLINE;
}

uint64_t blocking_next_look(int waiting)
{
    return deadline_in(waiting > BLOCKING_LOOK_MS ? (uint64_t)waiting : BLOCKING_LOOK_MS);
}

static void judge(short revents, uint64_t now)
{
    if (revents & (POLLERR | POLLHUP | POLLNVAL))
        here.cancelled = true;
    else if (revents & POLLRDHUP && !here.end)
        here.end = now + here.farewell;
    if (here.end && now >= here.end)
        here.cancelled = true;
}

static int milliseconds(uint64_t until, uint64_t now)
{
    if (until == NO_DEADLINE)
        return -1;
    const uint64_t left = until > now ? (until - now + MS - 1) / MS : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

int deadline_poll_ms(uint64_t time) { return milliseconds(time, uv_hrtime()); }

int blocking_wait(int fd, short events, uint64_t until)
{
    until = deadline_sooner(until, blocking_deadline());
    for (uint64_t now = uv_hrtime(); !here.cancelled;) {
        struct pollfd on[] = {
            { fd, events, 0 },               /* negative ones are passed over */
            { here.client - 1, here.end ? 0 : POLLRDHUP, 0 },
        };
        const uint64_t stop = here.end && here.end < until ? here.end : until;
        const int n = poll(on, 2, milliseconds(stop, now));
        now = uv_hrtime();
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n < 0)
            on[0].revents = on[1].revents = 0;
        judge(on[1].revents, now);
        if (on[0].revents && !here.cancelled)
            return 0;
        if (now >= until && !here.cancelled)
            return UV_ETIMEDOUT;
    }
    return UV_ECANCELED;
}

bool blocking_cancelled(void)
{
    struct pollfd client = { here.client - 1, POLLRDHUP, 0 };
    if (here.client && !here.cancelled && poll(&client, 1, 0) >= 0)
        judge(client.revents, uv_hrtime());
    return here.cancelled;
}
