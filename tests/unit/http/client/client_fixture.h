/* client_fixture.h - a server to ask, and a loop to ask it from, for the tests of the client. */
#ifndef TESTS_CLIENT_FIXTURE_H
#define TESTS_CLIENT_FIXTURE_H

#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/http/client/client.h"
#include "tests/support/peer.h"
#include "tests/support/support.h"

#include <check.h>

static arena a;                              /* what answers are in */

static inline void setup(void)
{
    peer_start();
    ck_assert_int_eq(loop_start(), 0);
}

static inline void teardown(void)
{
    ck_assert_int_eq(outcome_of(http_client_close()), 0);
    timer_end();
    ck_assert_int_eq(loop_done(), 0);
    peer_stop();
    arena_done(&a);
}

#endif
