/* order.h - what the scenarios share, in the words of say.js.
 *
 * Each scenario is two files: NAME.js, which runs in Node, and NAME.c, which says the same with
 * server/async. What they print must be equal, line by line. Where a promise of Node's needs more
 * microtasks than ours, the scenario avoids the difference, and says so:
 *
 *   - to await what has settled already does not pause a task, and pauses an async function
 *   - a step that returns a promise settles with it; in Node two microtasks later
 *   - finally settles when its callback has returned; in Node two microtasks later
 *   - gather, race and any drain: they settle when every part has, in Node with the first to decide
 */
#ifndef ORDER_H
#define ORDER_H

#include "server/async/chain.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/schedule.h"
#include "server/async/task.h"
#include "server/async/timing.h"

#include <check.h>

void     say(void *line);                    /* a string; so that it is a callback by itself */
promise *soon(void);                         /* settles in a microtask */
promise *then_say(promise *p, char *line);
promise *catch_say(promise *p, char *line);  /* and the chain goes on */
promise *fails(void *ignored);               /* promise_settled(UV_EIO): what a throw is */
void     last(promise *p);                   /* nobody asks what became of it */
void     then_last(promise *p, char *line);  /* then_say, and last */

/* An async function that is called: fn runs at once, up to its first pause. Not from a task. */
promise *call(int (*fn)(void *arg), void *arg);

/* fn(arg) is called by libuv when a file has been looked at: an I/O callback. */
void     stat_a_file(void (*fn)(void *arg), void *arg);

#define EACH_SCENARIO(run)                      \
    run(ticks_before_microtasks)                \
    run(ticks_in_ticks)                         \
    run(microtasks_in_ticks)                    \
    run(ticks_in_microtasks)                    \
    run(microtasks_before_timers)               \
    run(chains_of_different_length)             \
    run(settled_first_or_followed_first)        \
    run(failing_chains)                         \
    run(chain_with_one_catch)                   \
    run(finally_after_either)                   \
    run(all_beside_a_chain)                     \
    run(race_and_any_beside_a_chain)            \
    run(all_settled_beside_a_chain)             \
    run(all_that_fails)                         \
    run(await_beside_a_chain)                   \
    run(two_functions_awaiting_in_turns)        \
    run(tasks_that_await_tasks)                 \
    run(await_that_fails)                       \
    run(timers_in_order)                        \
    run(timers_of_one_millisecond)              \
    run(timers_set_by_timers)                   \
    run(timers_cleared_by_timers)               \
    run(sleepers_and_timers)                    \
    run(immediate_before_timeout_in_io)         \
    run(immediates_set_by_immediates)           \
    run(immediates_with_ticks_between)          \
    run(immediates_cleared_by_immediates)       \
    run(immediate_against_tick)                 \
    run(io_after_io)                            \
    run(bytes_to_and_fro)                       \
    run(close_after_immediates)                 \
    run(close_before_the_next_immediate)        \
    run(everything_at_once_in_io)

#define DECLARE(name) void name(void);
EACH_SCENARIO(DECLARE)
#undef DECLARE

#endif
