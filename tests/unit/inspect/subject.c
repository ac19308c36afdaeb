/* subject.c - see subject.h. */
#include "subject.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timer.h"
#include "server/async/timing.h"
#include "server/base/observe/recorder.h"
#include "server/diagnose/watchdog.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t HOUR = 3600000;

static struct {
    int               ready;                 /* a pipe's end */
    _Atomic uint64_t *count;
    void            (*damage)(void);
    timer             timer;
    int               sleepers;              /* that have not begun to sleep */
} here;

static int sleeper_run(void *arg)
{
    (void)arg;
    here.sleepers--;
    return await(sleep_for(HOUR));
}

static int parent_run(void *arg)
{
    return await(gather(task_start("child", sleeper_run, arg), sleep_for(HOUR)));
}

static void on_time(timer *t)
{
    if (here.sleepers > 0) {                 /* the machine was so busy that the timer was first */
        timer_set(t, 1, on_time);
        return;
    }
    if (here.damage)
        here.damage();
    if (write(here.ready, "", 1) != 1)
        _exit(1);
    for (;;)
        atomic_fetch_add_explicit(here.count, 1, memory_order_relaxed);
}

static void ignore(int err, void *arg) { (void)err, (void)arg; }

static void subject_run(int sleepers)
{
    if (watchdog_start(0) || loop_start())
        _exit(1);
    watchdog_loop_begin();
    recorder_begin("subject", 1 << 20);
    here.sleepers = sleepers + 1;            /* and the parent's child */
    when_settled(task_start("parent", parent_run, NULL), ignore, NULL);
    for (int i = 0; i < sleepers; i++)
        when_settled(task_start("sleeper", sleeper_run, NULL), ignore, NULL);
    timer_set(&here.timer, 1, on_time);
    loop_run();
    _exit(1);
}

subject subject_start(int sleepers, void (*damage)(void))
{
    int pipes[2];
    char byte;
    ck_assert_int_eq(pipe(pipes), 0);
    here.ready = pipes[1];
    here.damage = damage;
    here.count = mmap(NULL, sizeof *here.count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne((void *)here.count, MAP_FAILED);
    const subject s = { fork(), here.count };
    if (s.process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        subject_run(sleepers);
    }
    close(pipes[1]);
    ck_assert_int_gt(s.process, 0);
    ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
    close(pipes[0]);
    return s;
}

bool subject_goes_on(const subject *s)
{
    const uint64_t before = atomic_load(s->count);
    while (atomic_load(s->count) == before && waitpid(s->process, NULL, WUNTRACED | WNOHANG) == 0)
        poll(NULL, 0, 1);
    return waitpid(s->process, NULL, WUNTRACED | WNOHANG) == 0;
}

void subject_end(subject *s)
{
    kill(s->process, SIGKILL);
    waitpid(s->process, NULL, 0);
    munmap((void *)s->count, sizeof *s->count);
}
