/* delay.c - GET /delay/N: N, after as many milliseconds. A promise waits in a fraction of what a task takes. */
#include "boards.h"
#include "server/async/chain.h"
#include "server/async/timing.h"

static int delay_read(request *req, int64_t *ms)
{
    const int err = request_param_int(req, "ms", ms);
    return err || *ms < 0 || *ms > LONGEST_SLEEP ? E_BAD_REQUEST : 0;
}

static promise *delay_then_respond(void *arg)
{
    request *req = arg;
    char digits[TEXT_DIGITS];
    int64_t ms;
    delay_read(req, &ms);
    return promise_settled(respond(req, 200, "text/plain", text_number((uint64_t)ms, digits)));
}

promise *board_delay(request *req)
{
    int64_t ms;
    if (delay_read(req, &ms))
        return promise_settled(respond_problem(req, 400, "Say for how long: /delay/MS, from 0 to %d.", LONGEST_SLEEP));
    return then(sleep_for((uint64_t)ms), delay_then_respond, req);
}
