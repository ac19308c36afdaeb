/* stream_fixture.h - a worker whose handlers pull their bodies, at once or piece by piece, and what they have got. */
#ifndef TESTS_STREAM_FIXTURE_H
#define TESTS_STREAM_FIXTURE_H

#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "tests/unit/http/serving.h"
#include "tests/support/support.h"

#include <check.h>

static char    pulled[1024];                 /* the beginning of what the handler has got */
static size_t  length;
static int     began, ended, outcome;        /* of handlers; how the last one's reading ended */
static promise *gate;                        /* what /slow waits for before each piece */

static inline void pull_piece(text piece)
{
    ck_assert_uint_gt(piece.length, 0);
    for (size_t i = 0; i < piece.length && length + i < sizeof pulled; i++)
        pulled[length + i] = piece.at[i];
    length += piece.length;
}

static inline async int pull(request *req)
{
    text piece;
    began++;
    while (!(outcome = request_read(req, &piece)))
        pull_piece(piece);
    ended++;
    ck_assert_int_eq(request_read(req, &piece), outcome);    /* it stays so */
    return outcome == UV_EOF ? respond(req, 200, "text/plain", TEXT("pulled")) : outcome;
}

static inline async int slow(request *req)
{
    static fake f;
    text piece;
    began++;
    do {
        outcome = await(gate = fake_new(&f, UV_ECANCELED));
        gate = NULL;
        if (!outcome)
            outcome = request_read(req, &piece);
        if (!outcome)
            pull_piece(piece);
    } while (!outcome);
    ended++;
    return outcome == UV_EOF ? respond(req, 200, "text/plain", TEXT("pulled")) : outcome;
}

static inline int read_one(void *req)
{
    text piece;
    return request_read(req, &piece);
}

static inline async int pull_late(request *req)      /* what it waits for at first does not come in a second */
{
    ck_assert_int_eq(await(with_timeout(task_start("reader", read_one, req), 1000)), UV_ETIMEDOUT);
    return pull(req);
}

static inline async int answer_first(request *req)
{
    text piece;
    const int err = respond(req, 200, "text/plain", TEXT("answered"));
    while (!(outcome = request_read(req, &piece)))
        pull_piece(piece);
    ended++;
    return err;
}

static inline async int one_piece(request *req)
{
    text piece;
    outcome = request_read(req, &piece);
    return respond(req, 200, "text/plain", TEXT("enough"));
}

static inline int refuse(request *req) { return respond_problem(req, 415, "Nothing is read."); }

static inline int whole(request *req)               /* the same function, where the body is gathered */
{
    return pull(req);
}

static const route ROUTES_HERE[] = {
    { "POST", "/pull", .await = pull, .streams = true }, { "POST", "/slow", .await = slow, .streams = true },
    { "POST", "/one", .await = one_piece, .streams = true }, { "POST", "/refuse", .await = refuse, .streams = true },
    { "POST", "/late", .await = pull_late, .streams = true }, { "POST", "/first", .await = answer_first, .streams = true },
    { "POST", "/whole", .await = whole }, { "GET", "/pull", .await = pull, .streams = true },
};

static inline void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

#define HEAD(path, header) "POST " path " HTTP/1.1\r\nHost: a\r\n" header "\r\n\r\n"
#define NEXT "GET /pull HTTP/1.1\r\nHost: a\r\n\r\n"

static inline void let_one_piece(void)
{
    promise *p = gate;
    ck_assert_ptr_nonnull(p);
    promise_settle(p, 0);
    serving_turns();
}

static inline void expect_pulled(const char *words)
{
    ck_assert_msg(length == strlen(words) && memcmp(pulled, words, length) == 0, "%zu: %.20s", length, pulled);
}

#endif
