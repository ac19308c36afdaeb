/* sleep.c - GET /sleep?ms=N: slow I/O, simulated. Ten thousand of these wait on one thread. */
#include "handlers.h"
#include "server/async/chain.h"
#include "server/async/task.h"
#include "server/async/timing.h"

static int sleep_read_time(request *req, int64_t *ms)
{
    *ms = -1;
    int err = request_query_int(req, "ms", ms);
    return err || *ms < 0 || *ms > LONGEST_SLEEP ? E_BAD_REQUEST : 0;
}

static int respond_bad_time(request *req)
{
    return respond_problem(req, 400, "Say for how long: /sleep?ms=N, with N from 0 to %d.", LONGEST_SLEEP);
}

static int respond_slept(request *req, int64_t ms)
{
    char said[64] = "Slept ", digits[TEXT_DIGITS];
    const text number = text_number((uint64_t)ms, digits);   /* without printf: this is what waiting is measured by */
    char *end = mempcpy(said + strlen(said), number.at, number.length);
    end = stpcpy(end, " ms.\n");
    return respond(req, 200, "text/plain; charset=utf-8", (text){ said, (size_t)(end - said) });
}

async int sleep_await(request *req)
{
    int64_t ms;
    if (sleep_read_time(req, &ms))
        return respond_bad_time(req);

    int err = await(sleep_for((uint64_t)ms));
    if (err)
        return err;

    return respond_slept(req, ms);
}

static promise *sleep_then_respond(void *arg)
{
    request *req = arg;
    int64_t ms;
    sleep_read_time(req, &ms);
    return promise_settled(respond_slept(req, ms));
}

promise *sleep_promise(request *req)
{
    int64_t ms;
    if (sleep_read_time(req, &ms))
        return promise_settled(respond_bad_time(req));
    return then(sleep_for((uint64_t)ms), sleep_then_respond, req);
}
