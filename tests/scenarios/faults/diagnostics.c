/* diagnostics.c - what the server finds out by itself, asked from outside: what blocks it, and what it is doing. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/posts.h"
#include "tests/support/skipped.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool blocked_is_seen(void)
{
    get("/users/5?render=inline");
    return server_log_has("by GET /users/:id (/users/:id, ") && server_log_has("user_page (handlers/users/user_page.c:") &&
           server_log_has("was blocked for ");
}

START_TEST(a_handler_that_computes_on_the_loop_is_logged_and_counted_by_its_route)
{
    server_start("detect", "--mode", "async", "TENK_LOG_SLOW_CALLBACK=1ms", NULL);
    post_long_texts(5, 3);
    ck_assert(eventually(20, blocked_is_seen()));
    ck_assert(strstr(get("/stats").body, "\"GET /users/:id\":{\"times\":"));
    server_stop();
}
END_TEST

static bool dumped(const char *part)
{
    server_signal(SIGUSR2);
    pause_ms(20);
    return server_log_has(part);
}

START_TEST(sigusr2_logs_what_everybody_is_doing_and_disturbs_nobody)
{
    server_start("detect", NULL);
    client *c[] = { client_asking("/sleep?ms=60000"), client_asking("/sleep?ms=200") };
    if (in_threads_mode())
        ck_assert(eventually(10, dumped(": GET /sleep, ")));
    else
        ck_assert(eventually(10, dumped("old (GET /sleep), awaits sleep_for() at handlers/sleep.c:")));
    ck_assert_int_eq(client_answer(c[1]).status, 200);
    for (int i = 0; i < 20; i++)
        server_signal(SIGUSR2);
    ck_assert_int_eq(get("/healthz").status, 200);
    client_reset(c[0]);
    client_free(c[1]);
    server_stop();
}
END_TEST

START_TEST(a_server_that_stops_still_says_what_it_waits_for)
{
    server_start("detect", "TENK_TIMEOUTS_DRAIN=60s", NULL);
    client *c = client_asking("/sleep?ms=60000");
    ck_assert(eventually(10, dumped("GET /sleep")));
    server_signal(SIGTERM);
    ck_assert(eventually(10, server_log_has("stopping")));
    for (int i = 0; i < 5; i++)
        server_signal(SIGUSR2);
    pause_ms(5);
    ck_assert(server_running());
    client_reset(c);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

static char *printed_by(const char *command)
{
    static char text[32768];
    FILE *f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    const size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    pclose(f);
    return text;
}

START_TEST(gdb_lists_tasks_and_walks_their_stacks)
{
    char command[512];
    server_start("detect", "--mode", "async", NULL);
    client *c = client_asking("/sleep?ms=60000");
    ck_assert(eventually(10, dumped("old (GET /sleep)")));
    snprintf(command, sizeof command,
             "timeout 60 gdb -nx -batch -iex 'set debuginfod enabled off' -p %d -x server/diagnose/tenk-gdb.py "
             "-ex tenk-tasks -ex tenk-backtrace 2>&1", (int)here.pid);
    const char *text = printed_by(command);
    if (strstr(text, "ptrace: ")) {
        skipped(__func__, NEEDS_PTRACE);
    } else {
        ck_assert_msg(strstr(text, "1  loop 1: /sleep, ") != NULL, "%s", text);
        ck_assert_msg(strstr(text, "(GET /sleep), awaits sleep_for(), called at ") != NULL, "%s", text);
        ck_assert_msg(strstr(text, "sleep_await (req=") != NULL, "%s", text);
        ck_assert_msg(strstr(text, "context_start () at ") != NULL, "%s", text);
    }
    ck_assert_int_eq(get("/healthz").status, 200);           /* it was only looked at */
    client_reset(c);
    server_stop();
}
END_TEST

Suite *diagnostics_suite(void)
{
    Suite *s = suite_create("diagnostics");
    TCase *t = tcase_create("all");
    if (!in_threads_mode()) {
        tcase_add_test(t, a_handler_that_computes_on_the_loop_is_logged_and_counted_by_its_route);
        if (!run_slowed())
            tcase_add_test(t, gdb_lists_tasks_and_walks_their_stacks);
    }
    tcase_add_test(t, sigusr2_logs_what_everybody_is_doing_and_disturbs_nobody);
    tcase_add_test(t, a_server_that_stops_still_says_what_it_waits_for);
    suite_add_tcase(s, t);
    return s;
}
