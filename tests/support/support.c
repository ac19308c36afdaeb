/* support.c - see support.h. */
#include "support.h"
#include "server/async/loop.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t ahead, each_look;     /* milliseconds; any thread may look */
static _Atomic int64_t held;                 /* nanoseconds, at which it stands still; 0: it goes on */

/* Check, which measures how long a test ran, must not be told the same. Not by dladdr, which walks the symbols too. */
static bool in_libuv(void *caller)
{
    struct dl_find_object it, libuv;
    return !_dl_find_object(caller, &it) && !_dl_find_object((void *)uv_run, &libuv) && it.dlfo_map_start == libuv.dlfo_map_start;
}

/* Stands before libc's, and so everybody asks this one. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    const long err = syscall(SYS_clock_gettime, clock, t);
    if (err || (ahead == 0 && each_look == 0 && held == 0) || !in_libuv(__builtin_return_address(0)))
        return (int)err;
    if (held && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
        *t = (struct timespec){ .tv_sec = (time_t)(held / 1000000000), .tv_nsec = (long)(held % 1000000000) };
    ahead += each_look;
    const int64_t skipped = ahead;
    const int64_t total = t->tv_nsec + skipped % 1000 * 1000000;
    t->tv_sec += (time_t)(skipped / 1000 + total / 1000000000);
    t->tv_nsec = (long)(total % 1000000000);
    return 0;
}

static time_t date;

/* This one, too. */
time_t time(time_t *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const time_t says = date ? date : now.tv_sec;
    return t ? *t = says : says;
}

void clock_set_date(time_t now)   { date = now; }
void clock_skip(uint64_t ms)      { ahead += (int64_t)ms; }
void clock_tick(uint64_t ms)      { each_look = (int64_t)ms; }

void clock_hold(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    held = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool loop_turn_skipping(void)
{
    loop_run_ready();
    const int wait = uv_backend_timeout(loop_here());
    if (wait > 0)
        clock_skip((uint64_t)wait);
    const bool more = uv_run(loop_here(), wait < 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    return loop_run_ready() || more;
}

void loop_run_skipping(void)
{
    while (loop_turn_skipping())
        ;
}

static int captured;

void log_capture(void)
{
    captured = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_ge(captured, 0);
    ck_assert_int_eq(fcntl(captured, F_SETFL, O_APPEND), 0); /* threads must not write over each other */
    ck_assert_int_eq(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

const char *log_captured(void)
{
    static _Thread_local char text[65536];
    const ssize_t n = pread(captured, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

int log_times(const char *part)
{
    int times = 0;
    for (const char *at = log_captured(); (at = strstr(at, part)); at++)
        times++;
    return times;
}

void store(int err, void *arg) { *(int *)arg = err; }

int outcome_of(promise *p)
{
    static int err;                          /* outlives this frame, in case p settles later */
    err = 1;
    when_settled(p, store, &err);
    loop_run();
    return err;
}

int outcome_now(promise *p)
{
    int err = 1;
    ck_assert(promise_take_if_settled(p, &err));
    return err;
}

void *zeros(size_t size)
{
    void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(memory != MAP_FAILED);
    return memory;
}

void run_in_thread(void (*run)(void *), void *arg)
{
    uv_thread_t t;
    ck_assert_int_eq(uv_thread_create(&t, run, arg), 0);
    uv_thread_join(&t);
}

static void cancel_fake(promise *p, void *arg)
{
    fake *f = arg;
    f->cancels++;
    if (f->answer <= 0)
        promise_settle(p, f->answer);
}

promise *fake_new(fake *f, int answer)
{
    *f = (fake){ .answer = answer };
    return f->promise = promise_new(cancel_fake, f);
}
