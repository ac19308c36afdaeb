/* follow_fixture.h - a loop, and the outcome of the promise that is followed, for the tests of what settles one. */
#ifndef TESTS_FOLLOW_FIXTURE_H
#define TESTS_FOLLOW_FIXTURE_H

#include "server/async/loop.h"
#include "tests/support/support.h"

static int err;                              /* 1 until what is followed has settled */

static inline void setup(void)
{
    loop_start();
    err = 1;
}

static inline void follow(promise *p) { when_settled(p, store, &err); }

#endif
