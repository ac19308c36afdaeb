/* test_crash_handler.c - the last words of a process: what the log held, what happened, and where, on whichever thread. */
#include "server/diagnose/crash_handler.h"
#include "server/async/label.h"
#include "server/async/loop.h"
#include "server/async/scope.h"
#include "server/async/task.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/thread.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int bottom = 1000000;

static __attribute__((noinline)) int deeper(int n)
{
    volatile char frame[1024];
    frame[0] = (char)n;
    return n == bottom ? 0 : deeper(n + 1) + frame[0];
}

/* Runs fn in a process of its own, which must die of that signal, and returns what it has written. */
static const char *words_before(int signal, void (*fn)(void))
{
    static char words[4096];
    size_t have = 0;
    int ends[2], status = 0;
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        dup2(ends[1], STDERR_FILENO);
        crash_handler_install();
        fn();
        _exit(1);
    }
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], words + have, sizeof words - 1 - have)) > 0;)
        have += (size_t)n;
    words[have] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), signal);
    return words;
}

static const char *last_words(void (*fn)(void)) { return words_before(SIGSEGV, fn); }

static int overflow(void *arg)
{
    (void)arg;
    return deeper(0);
}

static int fault(void *arg)
{
    static int *volatile nowhere;
    (void)arg;
    *nowhere = 1;
    return 0;
}

static void in_task(int (*fn)(void *))
{
    int err;
    loop_start();
    crash_handler_thread_begin(NULL);
    scope_relabel(label_of("GET /deep"));
    when_settled(task_start("deep task", fn, NULL), store, &err);
    loop_run();
}

static void overflow_in_task(void) { in_task(overflow); }
static void fault_in_task(void)    { in_task(fault); }

START_TEST(an_overflow_in_a_task_names_it)
{
    static const char WORDS[] = "tenk: stack overflow in task deep task (GET /deep): it has 65536 bytes; raise [tasks] stack\n";
    ck_assert_ptr_nonnull(strstr(last_words(overflow_in_task), WORDS));
}
END_TEST

static void *in_thread_(void *arg)
{
    scope o = { .name = "/deep", .label = label_of("GET /deep") };
    crash_handler_thread_begin("[threads] stack");
    scope_enter(&o);
    deeper(0);
    return arg;
}

static void overflow_in_thread(void)
{
    pthread_t id;
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 256 * 1024);
    pthread_create(&id, &a, in_thread_, NULL);
    pthread_join(id, NULL);
}

START_TEST(an_overflow_in_a_plain_thread_names_what_it_did)
{
    const char *words = last_words(overflow_in_thread);
    ck_assert_msg(strstr(words, "stack overflow in the thread for /deep (GET /deep): it has 262144 bytes; "
                                "raise [threads] stack\n") != NULL, "%s", words);
}
END_TEST

START_TEST(another_fault_in_a_task_says_where_and_for_whom)
{
    static const char WORDS[] = "tenk: SIGSEGV (Segmentation fault) at address 0x0 in task deep task (GET /deep), thread ";
    const char *words = last_words(fault_in_task);
    ck_assert_msg(strstr(words, WORDS) != NULL, "%s", words);
    ck_assert_ptr_null(strstr(words, "overflow"));
}
END_TEST

static __attribute__((noinline)) int fault_here(void *arg) { return fault(arg) + 1; }

static void fault_in_function(void) { bottom += fault_here(NULL); }

/* The function at that offset in this program, as addr2line says. */
static bool trace_has(const char *words, const char *function)
{
    char command[1024], line[256];
    const char *const trace = strstr(words, "addr2line -fie tenk ");
    bool found = false;
    ck_assert_msg(trace != NULL, "%s", words);
    snprintf(command, sizeof command, "addr2line -fie /proc/%d/exe %s", (int)getpid(), trace + strlen("addr2line -fie tenk "));
    FILE *const f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        found = found || strncmp(line, function, strlen(function)) == 0;
    pclose(f);
    return found;
}

START_TEST(the_last_line_leads_to_the_code)
{
    const char *words = last_words(fault_in_function);
    ck_assert_msg(trace_has(words, "fault_in_function"), "%s", words);
}
END_TEST

static void log_some(void)
{
    log_start();
    for (int i = 0; i < 20; i++)
        log_list("line %d of the log", i);
}

static void log_and_abort(void)
{
    log_some();
    abort();
}

static void log_and_overflow(void)
{
    log_some();
    overflow_in_task();
}

START_TEST(what_the_log_holds_is_written_before_the_process_dies)
{
    ck_assert_ptr_nonnull(strstr(words_before(SIGABRT, log_and_abort), "line 19 of the log\n"));
    const char *words = words_before(SIGSEGV, log_and_overflow), *last = strstr(words, "line 19 of the log\n");
    ck_assert_ptr_nonnull(last);
    ck_assert_ptr_nonnull(strstr(last, "tenk: stack overflow in task deep task"));
}
END_TEST

static void be_sent_a_fault(void)
{
    if (fork() == 0) {
        kill(getppid(), SIGSEGV);
        _exit(0);
    }
    pause();
}

static void *fault_in_thread(void *arg)
{
    prctl(PR_SET_NAME, "sqlite reader");
    fault(arg);
    return arg;
}

static void *overflow_in_thread_of_own(void *arg)
{
    deeper(0);
    return arg;
}

static void thread_start_and_join(void *(*run)(void *))
{
    pthread_t id;
    log_some();
    ck_assert_int_eq(thread_start(&id, run, NULL), 0);
    pthread_join(id, NULL);
}

static void log_and_fault_in_thread(void)    { thread_start_and_join(fault_in_thread); }
static void log_and_overflow_in_thread(void) { thread_start_and_join(overflow_in_thread_of_own); }

START_TEST(a_thread_that_takes_no_signals_has_last_words_all_the_same)
{
    const char *words = last_words(log_and_fault_in_thread), *last = strstr(words, "line 19 of the log\n");
    ck_assert_msg(last != NULL, "%s", words);
    ck_assert_ptr_nonnull(strstr(last, "tenk: SIGSEGV (Segmentation fault) at address 0x0 in main, thread sqlite reader\n"));
}
END_TEST

START_TEST(a_thread_whose_stack_overflows_has_last_words_all_the_same)
{
    const char *words = last_words(log_and_overflow_in_thread), *last = strstr(words, "line 19 of the log\n");
    ck_assert_msg(last != NULL, "%s", words);
    ck_assert_ptr_nonnull(strstr(last, "tenk: SIGSEGV (Segmentation fault) at address 0x"));
}
END_TEST

START_TEST(a_fault_that_another_process_sends_ends_it_at_once)
{
    const char *words = words_before(SIGSEGV, be_sent_a_fault);
    ck_assert_msg(strncmp(words, "tenk: SIGSEGV (Segmentation fault), sent by process ", 52) == 0, "%s", words);
    ck_assert_ptr_null(strstr(words, "addr2line"));          /* it has done nothing wrong */
}
END_TEST

static int handled;

static void own_handler(int number)
{
    (void)number;
    handled++;
}

START_TEST(a_handler_that_is_there_already_stays)
{
    struct sigaction now;
    signal(SIGBUS, own_handler);
    crash_handler_install();
    ck_assert_int_eq(sigaction(SIGBUS, NULL, &now), 0);
    ck_assert_ptr_eq((void *)now.sa_handler, (void *)own_handler);
}
END_TEST

START_TEST(a_thread_gives_its_signal_stack_back)
{
    stack_t before, after;
    sigaltstack(NULL, &before);
    crash_handler_thread_begin(NULL);
    sigaltstack(NULL, &after);
    ck_assert(!(after.ss_flags & SS_DISABLE));
    crash_handler_thread_end();
    sigaltstack(NULL, &after);
    ck_assert_int_eq(after.ss_flags, before.ss_flags);
}
END_TEST

Suite *crash_handler_suite(void)
{
    Suite *s = suite_create("crash_handler");
    TCase *t = tcase_create("all");
    if (!RESERVE_NOTHING) {                 /* sanitizers and valgrind have their own words for faults */
        tcase_add_test(t, an_overflow_in_a_task_names_it);
        tcase_add_test(t, an_overflow_in_a_plain_thread_names_what_it_did);
        tcase_add_test(t, another_fault_in_a_task_says_where_and_for_whom);
        tcase_add_test(t, the_last_line_leads_to_the_code);
        tcase_add_test(t, a_thread_that_takes_no_signals_has_last_words_all_the_same);
        tcase_add_test(t, a_thread_whose_stack_overflows_has_last_words_all_the_same);
        tcase_add_test(t, what_the_log_holds_is_written_before_the_process_dies);
        tcase_add_test(t, a_fault_that_another_process_sends_ends_it_at_once);
    }
    tcase_add_test(t, a_handler_that_is_there_already_stays);
    tcase_add_test(t, a_thread_gives_its_signal_stack_back);
    suite_add_tcase(s, t);
    return s;
}
