/* askers.c - see askers.h. */
#include "askers.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/block.h"
#include "server/base/memory.h"
#include "tests/support/support.h"

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *arg)
{
    asker *a = arg;
    arena mine = { 0 };
    const uint64_t start = uv_hrtime();
    blocking_follow(a->client, 0);
    blocking_limit(deadline_after(start, a->within_ms));
    db *own = db_new(a->of);
    for (int i = 0; i < (a->times ? a->times : 1) && !a->err; i++) {
        rows r = { 0 };
        const value both[] = { integer(a->n), string(text_of(a->title ? a->title : "")) };
        a->err = outcome_now(db_query(own, &mine, NULL, &r, a->statement, a->title ? 2 : 1, both));
        if (!a->err && r.count && r.columns == 1)
            a->answer = rows_int(&r, 0, 0);
        arena_done(&mine);
    }
    a->took = (double)(uv_hrtime() - start) / 1e9;
    ck_assert_int_eq(outcome_now(db_close(own)), 0);
    db_free(own);
    block_trim();
    pool_done_all();
    return NULL;
}

void asker_start(asker *a, database *of)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    a->client = ends[0];
    a->peer = ends[1];
    a->of = of;
    ck_assert_int_eq(pthread_create(&a->thread, NULL, serve, a), 0);
}

void asker_leave(asker *a)
{
    close(a->peer);
    a->peer = -1;
}

int asker_end(asker *a)
{
    pthread_join(a->thread, NULL);
    close(a->client);
    if (a->peer >= 0)
        close(a->peer);
    return a->err;
}
