/* pitfall_forgotten.c - a promise that is kept and never awaited, and one that is. */
#include "pattern.h"
#include "server/http/client/client.h"

SHOW_FROM(bad)
static async int print_receipt(void *arg)
{
    run *r = arg;
    http_answer printed;
    int err = await(sleep_for(60));          /* it takes that long to be typeset */
    if (!err)
        err = await(http_post(request_arena(r->req), "http://127.0.0.1:1/print", "text/plain", TEXT("Thank you!"), &printed));
    return err;                              /* there is no printer: nobody listens there */
}

struct order { promise *receipt; };

static async int run_forgotten_bad(run *r)
{
    struct order *o = run_alloc(r, sizeof *o);
    o->receipt = task_start("print the receipt", print_receipt, r);
    const int err = await(sleep_for(20));    /* it is paid, and the receipt forgotten */
    mark(r, "the customer is thanked, and waits for a receipt for ever");
    return err;
}
SHOW_TO(bad)

SHOW_FROM(good)
static async int run_forgotten_good(run *r)
{
    promise *receipt = task_start("print the receipt", print_receipt, r);
    const int err = await(gather(receipt, sleep_for(20)));
    mark(r, err ? "the customer is told that there is no receipt" : "the customer has a receipt");
    return 0;
}
SHOW_TO(good)

static const pattern BAD = {
    .name = "forgotten-bad", .title = "Started, and forgotten", .await = run_forgotten_bad, SOURCE_OF(bad), .visited = true,
};

static const pattern GOOD = {
    .name = "forgotten-good", .title = "Started, and awaited", .await = run_forgotten_good, SOURCE_OF(good), .visited = true,
};

const pattern PATTERN_PITFALL_FORGOTTEN = {
    .name = "pitfall-forgotten", .title = "Pitfall: a forgotten await", .group = GROUP_PITFALLS, .twins = { &BAD, &GOOD },
    .file = __FILE__, .source = source_bad,
    .not_in_threads = "A blocking thread runs a task when it awaits something: one that is forgotten begins too late.",
    .shows = "To drop a promise does not compile. One that is kept in a variable slips through: when the task that started it"
             " ends, it is cancelled in the middle of its work, and nobody hears that it would have failed. Nobody else has to"
             " wait, either: only the server's log says something, and names the place. Whoever starts something awaits it, or"
             " gives it to a background group, which answers for it.",
};
