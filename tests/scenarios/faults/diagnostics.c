/* diagnostics.c - what the server finds out by itself, asked from outside: what blocks it, and what it is doing. */
#include "tests/scenarios/scenarios.h"

#include "tests/support/skipped.h"

#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A page whose text takes milliseconds to render. */
static void write_much(void)
{
    enum { LENGTH = 60000 };
    static char body[LENGTH + 64] = "title=Long&body=";
    while (strlen(body) < LENGTH)
        strcat(body, "**a**+_b_+%60c%60+");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(post("/users/5/posts", "application/x-www-form-urlencoded", body).status, 303);
}

static bool blocked_is_seen(void)
{
    get("/users/5?render=inline");
    return server_log_has("by GET /users/:id (/users/:id, ") && server_log_has("user_page (handlers/user_page.c:") &&
           server_log_has("was blocked for ");
}

START_TEST(a_handler_that_computes_on_the_loop_is_logged_and_counted_by_its_route)
{
    server_start("detect", "--mode", "async", "TENK_LOG_SLOW_CALLBACK=1ms", NULL);
    write_much();
    ck_assert(eventually(20, blocked_is_seen()));
    ck_assert(strstr(get("/stats").body, "\"GET /users/:id\":{\"times\":"));
    server_stop();
}
END_TEST

/* Time of the processor, in ns, that each thread of the server has had. */

enum { THREADS = 64 };

typedef struct thread_times { int count; struct { long id; uint64_t ns; } of[THREADS]; } thread_times;

static thread_times look_at_threads(void)
{
    thread_times t = { 0 };
    glob_t found;
    char pattern[64];
    snprintf(pattern, sizeof pattern, "/proc/%d/task/*/schedstat", (int)here.pid);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc && t.count < THREADS; i++) {
        unsigned long long ns;
        FILE *f = fopen(found.gl_pathv[i], "r");
        if (f && fscanf(f, "%llu", &ns) == 1) {
            t.of[t.count].id = atol(strstr(found.gl_pathv[i], "/task/") + strlen("/task/"));
            t.of[t.count++].ns = ns;
        }
        if (f)
            fclose(f);
    }
    globfree(&found);
    return t;
}

static uint64_t time_of(const thread_times *t, long id)
{
    for (int i = 0; i < t->count; i++)
        if (t->of[i].id == id)
            return t->of[i].ns;
    return 0;
}

/* Asks for the page a few times. */
static void ask_for(const char *path)
{
    for (int i = 0; i < 5; i++)
        expect(get(path), 200, "text/html");
}

/* The one that renders what is asked for inline, and how long that takes it. */
static long find_loop(uint64_t *ns)
{
    long loop = 0;
    *ns = 0;
    const thread_times before = look_at_threads();
    ask_for("/users/5?render=inline");
    const thread_times after = look_at_threads();
    for (int i = 0; i < after.count; i++) {
        const uint64_t took = after.of[i].ns - time_of(&before, after.of[i].id);
        if (took > *ns) {
            *ns = took;
            loop = after.of[i].id;
        }
    }
    return loop;
}

static long rendered_in_pool(void)
{
    const answer a = get("/stats");
    const char *cpu = strstr(a.body, "\"cpu\":{"), *done = cpu ? strstr(cpu, "\"done\":") : NULL;
    ck_assert_msg(done != NULL, "%s", a.body);
    return atol(done + strlen("\"done\":"));
}

START_TEST(a_page_is_rendered_in_the_pool_and_not_on_the_loop)
{
    static const char *const SHAPES[] = { "/users/5", "/users/5/promises", "/users/5/callbacks", "/users/5/sequential" };
    uint64_t inline_ns;
    server_start("detect", "--mode", "async", NULL);
    write_much();
    ask_for("/users/5");                     /* from now on all threads are there, and what is to be read is read */
    const long loop = find_loop(&inline_ns), asked_inline = rendered_in_pool();
    for (int i = 0; i < 4; i++) {
        const thread_times before = look_at_threads();
        ask_for(SHAPES[i]);
        const thread_times after = look_at_threads();
        const uint64_t ns = time_of(&after, loop) - time_of(&before, loop);
        ck_assert_msg(ns < inline_ns / 2, "%s: the loop computes for %g ms, and for %g ms when it renders", SHAPES[i],
                      (double)ns / 1e6, (double)inline_ns / 1e6);
        ck_assert_int_eq(rendered_in_pool(), asked_inline + 5 * (i + 1));
    }
    server_stop();
}
END_TEST

START_TEST(what_is_rendered_in_a_thread_blocks_nobody)
{
    server_start("detect", "TENK_LOG_SLOW_CALLBACK=1s", NULL);
    write_much();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(get("/users/5").status, 200);
    const answer a = get("/stats");
    expect_body(a, "\"blocked\":{}");
    expect_body(a, "\"never_awaited\":0");
    ck_assert(!server_log_has("blocked"));
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
    tcase_set_timeout(t, 60);
    if (!in_threads_mode()) {
        tcase_add_test(t, a_handler_that_computes_on_the_loop_is_logged_and_counted_by_its_route);
        tcase_add_test(t, a_page_is_rendered_in_the_pool_and_not_on_the_loop);
        if (!run_slowed())
            tcase_add_test(t, gdb_lists_tasks_and_walks_their_stacks);
    }
    tcase_add_test(t, what_is_rendered_in_a_thread_blocks_nobody);
    tcase_add_test(t, sigusr2_logs_what_everybody_is_doing_and_disturbs_nobody);
    tcase_add_test(t, a_server_that_stops_still_says_what_it_waits_for);
    suite_add_tcase(s, t);
    return s;
}
