/* block.c - GET /block?ms=N: a library that can only block, simulated. A loop must not call one; so a thread of the pool does,
 * and as many at once as the pool has. In threads mode the connection's own thread calls it. */
#include "handlers.h"
#include "server/async/task.h"
#include "server/executor/thread_pool.h"

#include <time.h>

enum { LONGEST_CALL = 1000 };                /* ms: nobody can end it sooner */

static int call_the_library(void *arg)
{
    const int64_t *ms = arg;
    const struct timespec t = { .tv_sec = *ms / 1000, .tv_nsec = *ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
    return 0;
}

async int block(request *req)
{
    int64_t ms = -1;
    int err = request_query_int(req, "ms", &ms);
    if (err || ms < 0 || ms > LONGEST_CALL)
        return respond_problem(req, 400, "Say for how long: /block?ms=N, with N from 0 to %d.", LONGEST_CALL);
    err = await(in_thread(call_the_library, &ms));
    return err ? err : respond(req, 200, "text/plain; charset=utf-8", TEXT("It has returned.\n"));
}
