/* stop.c - asks the server to stop what a session runs, and waits no longer than it may. */
#include "blocking_pool.h"
#include "server/base/blocking_wait.h"

#include <poll.h>
#include <limits.h>

int pg_wait_anyway(int fd, short events, uint64_t until)
{
    static const uint64_t MS = 1000000;
    for (;;) {
        const uint64_t now = uv_hrtime(), left = until > now ? (until - now + MS - 1) / MS : 0;
        struct pollfd on = { fd, events, 0 };
        if (poll(&on, 1, left < INT_MAX ? (int)left : INT_MAX) > 0)
            return 0;
        if (uv_hrtime() >= until)
            return UV_ETIMEDOUT;
    }
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL

bool pg_stop(PGconn *pg, uint64_t until)
{
    PGcancelConn *request = PQcancelCreate(pg);
    PostgresPollingStatusType wants = request && PQcancelStart(request) ? PGRES_POLLING_WRITING
                                                                        : PGRES_POLLING_FAILED;
    int err = 0;
    while (!err && (wants == PGRES_POLLING_READING || wants == PGRES_POLLING_WRITING)) {
        err = pg_wait_anyway(PQcancelSocket(request), wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
        if (!err)
            wants = PQcancelPoll(request);
    }
    PQcancelFinish(request);
    return !err;
}

#else

#include "cancel_delivery.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

static void wake(void *delivered) { sem_post(delivered); }

bool pg_stop(PGconn *pg, uint64_t until)
{
    const struct timespec stop = { (time_t)(until / 1000000000), (long)(until % 1000000000) };
    sem_t delivered;
    sem_init(&delivered, 0, 0);
    pg_delivery *d = pg_delivery_send(pg, wake, &delivered);
    int err = 0;
    if (d) {
        while ((err = sem_clockwait(&delivered, CLOCK_MONOTONIC, &stop)) && errno == EINTR)
            ;
        pg_delivery_leave(d);                /* after this, nobody touches the semaphore */
    }
    sem_destroy(&delivered);
    return !err;                             /* one that could not begin hits nobody */
}

#endif
