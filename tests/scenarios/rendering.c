/* rendering.c - where pages are rendered: short ones on the loop, long ones in the pool; and that a page which takes long
 * keeps nobody else waiting. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/posts.h"

#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a page was rendered, as Server-Timing has it, and how many milliseconds that took. */
static const char *place_of(const char *path, double *ms)
{
    static char place[16];
    const answer a = get(path);
    expect(a, 200, "text/html");
    const char *timing = header(&a, "Server-Timing"), *at = strstr(timing ? timing : "", "render;dur=");
    ck_assert_msg(at && sscanf(at, "render;dur=%lf;desc=\"%15[a-z]\"", ms, place) == 2, "%s: %s", path, a.head);
    return place;
}

static bool is_rendered(const char *path, const char *place)
{
    double ms;
    return strcmp(place_of(path, &ms), place) == 0;
}

/* How long a page may keep the loop, so that on this machine a user's first ten posts are short, and a hundred times as
 * much text is not. */
static const char *limit_here(void)
{
    enum { TIMES = 15 };
    static char setting[64];
    double least = 1000, ms;
    server_start("rendering", "TENK_RENDERING_WHERE=pool", NULL);
    for (int i = 0; i < 20; i++) {
        place_of("/users/42", &ms);
        least = ms < least ? ms : least;
    }
    server_stop();
    snprintf(setting, sizeof setting, "TENK_RENDERING_MICROSECONDS=%d", (int)(least * 1000) * TIMES);
    return setting;
}

/* What /stats says of that rendering. */
static int64_t runs_of(const char *name, const char *key)
{
    json_t *stats = json_in(get("/stats"), 200);
    json_t *one = json_object_get(json_object_get(stats, "workloads"), name);
    ck_assert_msg(json_is_real(json_object_get(one, "ns_per_byte")), "%s", name);
    const int64_t runs = number_of(one, key);
    json_decref(stats);
    return runs;
}

START_TEST(a_page_that_is_known_to_be_short_is_rendered_on_the_loop)
{
    static const char *const PAGES[][2] = {
        { "/users", "GET /users" }, { "/users/42", "GET /users/:id" }, { "/posts/1", "GET /posts/:id" },
    };
    server_start("rendering", limit_here(), NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(runs_of(PAGES[i][1], "on_loop") + runs_of(PAGES[i][1], "off_loop"), 0);
        ck_assert(is_rendered(PAGES[i][0], "pool"));         /* nothing is known of it */
        ck_assert_int_eq(runs_of(PAGES[i][1], "off_loop"), 1);
        ck_assert(eventually(20, is_rendered(PAGES[i][0], "loop")));
        ck_assert_int_eq(runs_of(PAGES[i][1], "on_loop"), 1);
    }
    server_stop();
}
END_TEST

START_TEST(where_pages_are_rendered_can_be_fixed_and_asked_for)
{
    server_start("rendering", "TENK_RENDERING_WHERE=pool", "TENK_PATTERNS_ENABLED=on", NULL);
    for (int i = 0; i < 5; i++)
        ck_assert(is_rendered("/users/42", "pool") && is_rendered("/users", "pool") && is_rendered("/posts/1", "pool"));
    ck_assert(is_rendered("/users/42?render=inline", "loop"));
    ck_assert(is_rendered("/users/42?render=process", "process"));
    server_stop();
    server_start("rendering", "TENK_RENDERING_WHERE=loop", NULL);
    post_long_texts(5, 3);
    ck_assert(is_rendered("/users/5", "loop") && is_rendered("/users", "loop") && is_rendered("/posts/1", "loop"));
    ck_assert(is_rendered("/users/42?render=thread", "pool"));
    server_stop();
}
END_TEST

/* The longest of the answers to /healthz that come until that one does, in ms. */
static double longest_beside(client *page, int *count)
{
    client *c = client_new();
    double longest = 0;
    for (*count = 0; client_quiet(page); ++*count) {
        const double before = now_s();
        client_say(c, "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
        ck_assert_int_eq(client_answer(c).status, 200);
        const double ms = (now_s() - before) * 1000;
        longest = ms > longest ? ms : longest;
    }
    client_free(c);
    return longest;
}

/* What is known by then are short pages only: it is the number of bytes that tells. */
static void expect_the_first_long_page_in_the_pool(void)
{
    enum { USER = 6 };
    double ms = 0;
    int count;
    post_long_texts(USER, 12);
    ck_assert(eventually(20, is_rendered("/users/42", "loop")));
    for (int i = 0; i < scaled(400); i++)
        is_rendered("/users/42", "loop");
    client *c = client_asking("/users/6");
    const double longest = longest_beside(c, &count);
    const answer a = client_answer(c);
    const char *timing = header(&a, "Server-Timing"), *at = strstr(timing ? timing : "", "render;dur=");
    ck_assert_msg(at && sscanf(at, "render;dur=%lf;", &ms) == 1 && strstr(at, ";desc=\"pool\""), "%s", a.head);
    ck_assert_msg(longest < ms && count > 1, "the longest of %d beside one of %g ms took %g ms", count, ms, longest);
    client_free(c);
    ck_assert(eventually(20, is_rendered("/users/42", "loop")));
}

START_TEST(a_sudden_long_page_goes_to_the_pool_at_once_and_delays_nobody)
{
    server_start("rendering", limit_here(), NULL);
    expect_the_first_long_page_in_the_pool();
    server_stop();
}
END_TEST

START_TEST(a_sudden_long_page_goes_to_the_pool_with_postgresql_too)
{
    server_start_on_postgres("rendering", limit_here(), NULL);
    expect_the_first_long_page_in_the_pool();
    server_stop();
}
END_TEST

START_TEST(in_threads_mode_pages_are_rendered_by_the_thread_of_their_connection)
{
    server_start("rendering", "TENK_PATTERNS_ENABLED=on", NULL);
    for (int i = 0; i < 3; i++)
        ck_assert(is_rendered("/users/42", "thread") && is_rendered("/users/42?render=inline", "thread") &&
                  is_rendered("/users", "thread") && is_rendered("/posts/1", "thread"));
    ck_assert_int_eq(runs_of("GET /users/:id", "on_loop"), 0);
    ck_assert_int_eq(runs_of("GET /users/:id", "off_loop"), 6);
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
    server_start("rendering", "--mode", "async", NULL);
    post_long_texts(5, 3);
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
    server_start("rendering", "TENK_LOG_SLOW_CALLBACK=1s", NULL);
    post_long_texts(5, 3);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(get("/users/5").status, 200);
    const answer a = get("/stats");
    expect_body(a, "\"blocked\":{}");
    expect_body(a, "\"never_awaited\":0");
    ck_assert(!server_log_has("blocked"));
    server_stop();
}
END_TEST

Suite *rendering_suite(void)
{
    Suite *s = suite_create("rendering");
    TCase *t = tcase_create("rendering");
    tcase_add_test(t, what_is_rendered_in_a_thread_blocks_nobody);
    if (in_threads_mode()) {
        tcase_add_test(t, in_threads_mode_pages_are_rendered_by_the_thread_of_their_connection);
    } else {
        tcase_add_test(t, a_page_is_rendered_in_the_pool_and_not_on_the_loop);
        tcase_add_test(t, a_page_that_is_known_to_be_short_is_rendered_on_the_loop);
        tcase_add_test(t, where_pages_are_rendered_can_be_fixed_and_asked_for);
        tcase_add_test(t, a_sudden_long_page_goes_to_the_pool_at_once_and_delays_nobody);
        tcase_add_test(t, a_sudden_long_page_goes_to_the_pool_with_postgresql_too);
    }
    suite_add_tcase(s, t);
    return s;
}
