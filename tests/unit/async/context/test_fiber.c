/* test_fiber.c - what happens to a thread while it is on a fiber happens to the thread. */
#include "server/async/context/fiber.h"
#include "tests/unit/suites.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t heard;

static void on_signal(int number)
{
    (void)number;
    heard++;
}

/* By the system call itself, so that no tool sees it come. */
static void send_itself_a_signal(void *arg)
{
    fiber *f = arg;
    fiber_begin(f);
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGUSR1);
    fiber_leave(f, true);
}

START_TEST(a_signal_that_comes_on_a_fiber_is_heard_though_that_never_goes_on)
{
    const struct sigaction own = { .sa_handler = on_signal };
    stack s;
    fiber f;
    ck_assert_int_eq(sigaction(SIGUSR1, &own, NULL), 0);
    ck_assert_int_eq(stack_get(&s, 64 * 1024), 0);
    fiber_init(&f, s, s.base + s.size, send_itself_a_signal, &f);
    fiber_enter(&f);
    fiber_done(&f);
    ck_assert_int_eq(heard, 1);
}
END_TEST

Suite *fiber_suite(void)
{
    Suite *s = suite_create("fiber");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_signal_that_comes_on_a_fiber_is_heard_though_that_never_goes_on);
    suite_add_tcase(s, t);
    return s;
}
