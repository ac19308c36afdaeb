/* order.c - runs each scenario in Node and here, and compares. Where there is no Node, that is a
 * failure. */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { const char *name; void (*run)(void); } scenarios[] = {
#define ROW(name) { #name, name },
    EACH_SCENARIO(ROW)
#undef ROW
};

enum { COUNT = sizeof scenarios / sizeof scenarios[0] };

static char here[4096], there[4096];

/* What the scenarios share. */

void say(void *line)
{
    const size_t length = strlen(here);
    snprintf(here + length, sizeof here - length, "%s\n", (char *)line);
}

static void settle(void *p) { promise_settle(p, 0); }

promise *soon(void)
{
    promise *p = promise_new(NULL, NULL);
    queue_microtask(settle, p);
    return p;
}

static promise *says(void *line)
{
    say(line);
    return promise_settled(0);
}

static promise *handles(int err, void *line)
{
    (void)err;
    return says(line);
}

promise *then_say(promise *p, char *line)  { return then(p, says, line); }
promise *catch_say(promise *p, char *line) { return catch(p, handles, line); }

promise *fails(void *ignored)
{
    (void)ignored;
    return promise_settled(UV_EIO);
}

static void ignore(int err, void *arg) { (void)err, (void)arg; }

void last(promise *p)                  { when_settled(p, ignore, NULL); }
void then_last(promise *p, char *line) { last(then_say(p, line)); }

static task *called[8];
static int   calls;

promise *call(int (*fn)(void *), void *arg)
{
    ck_assert_int_lt(calls, 8);
    task *t = called[calls++] = task_new("called", 0);
    ck_assert_ptr_nonnull(t);
    return task_run(t, scope_here(), fn, arg);
}

struct look { uv_fs_t uv; void (*fn)(void *); void *arg; };

static void on_stat(uv_fs_t *uv)
{
    struct look look = *(struct look *)uv;
    loop_enter();
    uv_fs_req_cleanup(uv);
    free(uv);
    look.fn(look.arg);
    loop_leave();
}

void stat_a_file(void (*fn)(void *), void *arg)
{
    struct look *look = calloc(1, sizeof *look);
    look->fn = fn;
    look->arg = arg;
    ck_assert_int_eq(uv_fs_stat(loop_here(), &look->uv, "/", on_stat), 0);
}

/* Running. */

static void run_here(int i)
{
    ck_assert_int_eq(loop_start(), 0);
    loop_enter();
    scenarios[i].run();
    loop_leave();
    loop_run();
    while (calls > 0)
        task_free(called[--calls]);
}

static void run_in_node(int i)
{
    char command[256];
    const char *node = getenv("NODE");
    snprintf(command, sizeof command, "'%s' tests/order/node/%s.js", node ? node : "node", scenarios[i].name);
    FILE *output = popen(command, "r");
    ck_assert_ptr_nonnull(output);
    there[fread(there, 1, sizeof there - 1, output)] = '\0';
    ck_assert_msg(pclose(output) == 0, "%s failed: is Node there?", command);
}

static const char *line_of(char **at)
{
    char *line = strsep(at, "\n");
    return line && *at ? line : "(the end)";
}

static int compare(void)
{
    char *node = there, *tenk = here;
    for (int n = 1; node || tenk; n++) {
        const char *expected = line_of(&node), *is = line_of(&tenk);
        ck_assert_msg(strcmp(expected, is) == 0, "line %d: '%s' in Node, '%s' here", n, expected, is);
        if (!node)
            return n - 1;
    }
    return 0;
}

static void compare_one(int i)
{
    tcase_fn_start(scenarios[i].name, __FILE__, __LINE__);
    run_in_node(i);
    run_here(i);
    const int lines = compare();
    ck_assert_int_gt(lines, 0);
    printf("  %-7s %s: %d lines\n", "ORDER", scenarios[i].name, lines);
}

int main(void)
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);   /* only for what hangs: a busy machine is no fault */
    static TTest tests[COUNT];               /* Check keeps their addresses */
    Suite *s = suite_create("node_order");
    TCase *t = tcase_create("all");
    for (int i = 0; i < COUNT; i++) {
        tests[i] = (TTest){ scenarios[i].name, compare_one, __FILE__, __LINE__ };
        tcase_add_loop_test(t, &tests[i], i, i + 1);
    }
    suite_add_tcase(s, t);
    SRunner *all = srunner_create(s);
    srunner_run_all(all, CK_ENV);
    const int failed = srunner_ntests_failed(all);
    srunner_free(all);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
