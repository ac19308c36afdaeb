/* countdown.c - GET /countdown?from=10: an event a second. A client that has lost its connection goes on where it was. */
#include "handlers.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/events/events.h"

async int countdown(request *req)
{
    enum { MOST = 3600, SECOND = 1000 };
    char digits[TEXT_DIGITS];
    int64_t left = 10;
    int err = request_query_int(req, "from", &left);
    if (!err)
        err = request_last_event_id(req, &left);
    if (err || left < 0 || left > MOST)
        return E_BAD_REQUEST;
    if (left == 0)
        return respond_nothing(req, 204);    /* it has had all, and does not come back */

    err = respond_events(req);
    while (!err && left-- > 0) {
        const text number = text_number((uint64_t)left, digits);
        err = await(event_send(req, (event){ .id = number, .data = number }));
        if (!err && left > 0)
            err = await(sleep_for(SECOND));
    }
    return err;
}
