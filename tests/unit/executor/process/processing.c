/* processing.c - see processing.h. */
#include "processing.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/base/log.h"
#include "tests/support/support.h"

#include <check.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

process_pool_options processing_options = {
    .workers = 1, .waiting = 4, .jobs = 1000, .memory = 64 << 20, .timeout_ms = 60000,
};
arena processing_arena;
text  processing_out;
int   processing_errs[8];

void processing_begin(void)
{
    log_set_level(LOG_ERROR);                /* of the deaths of many */
    ck_assert_int_eq(loop_start(), 0);
    arena_init(&processing_arena, NULL, 0);
    process_pool_configure(&processing_options);
}

void processing_stop(void)
{
    ck_assert_int_eq(outcome_of(process_pool_close()), 0);
    timer_end();
    ck_assert_int_eq(loop_done(), 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    arena_done(&processing_arena);
}

int processing_run(const process_job *job, text in)
{
    return outcome_of(in_process(job, in, 0, &processing_arena, &processing_out));
}

pid_t processing_worker(void)
{
    ck_assert_int_eq(processing_run(&TEST_PID, TEXT("")), 0);
    return *(const pid_t *)processing_out.at;
}

promise *processing_start(int i, const process_job *job, uint64_t ms)
{
    promise *p = in_process(job, TEXT(""), ms, &processing_arena, &processing_out);
    processing_errs[i] = 1;
    when_settled(p, store, &processing_errs[i]);
    return p;
}

void processing_until_settled(int i)
{
    while (processing_errs[i] == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
}

/* A loop on which nothing is going on does not look at its workers. */
void processing_until(_Atomic uint64_t *count, uint64_t is)
{
    uv_async_t something;
    uv_async_init(loop_here(), &something, NULL);
    while (*count < is)
        uv_run(loop_here(), UV_RUN_ONCE);
    uv_close((uv_handle_t *)&something, NULL);
    loop_run();
}
