/* main.c - runs all scenarios, on SQLite and on a private PostgreSQL cluster.
 *
 * CK_RUN_SUITE and CK_RUN_CASE choose some, as ever with Check, and HALF=1 and HALF=2 every other theme, so that two may run side
 * by side; TENK names the server to test. */
#include "scenarios.h"

#include "tests/support/skipped.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each test case's servers carry its name; those of the failed ones may know why. */
static void show_logs_of_failed(SRunner *all)
{
    const int failed = srunner_ntests_failed(all);
    TestResult **results = srunner_failures(all);
    for (int i = 0; i < failed; i++)
        if (i == 0 || strcmp(tr_tcname(results[i]), tr_tcname(results[i - 1])) != 0)
            run_show_logs(tr_tcname(results[i]));
    free(results);
}

static bool is_of_half(int theme)
{
    const char *half = getenv("HALF");
    return !half || !*half || theme % 2 == atoi(half) % 2;
}

int main(void)
{
    int theme = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGHUP, SIG_DFL);                 /* under nohup, too: servers are told by it */
    setenv("CK_DEFAULT_TIMEOUT", "300", 0);  /* only for what hangs: a busy machine is no fault */
    skipped_begin();
    run_begin();
    SRunner *all = srunner_create(suite_create("scenarios"));
#define RUN(suite)             \
    if (is_of_half(++theme))   \
        srunner_add_suite(all, suite());
    EACH_THEME(RUN)
    srunner_run_all(all, CK_ENV);
    show_logs_of_failed(all);
    const bool failed = srunner_ntests_failed(all) > 0 || server_fixture_failures > 0;
    srunner_free(all);
    run_end();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
