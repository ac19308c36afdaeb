/* main.c - runs the suites, one per module, in layer order: all, or with the argument async those of that layer. */
#include "tests/unit/executor/process/process_jobs.h"
#include "tests/support/skipped.h"
#include "suites.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[])
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);   /* only for what hangs: a busy machine is no fault */
    process_pool_begin(argc, argv, TEST_JOBS, TEST_JOB_COUNT);
    skipped_begin();
    SRunner *all = srunner_create(suite_create("tenk"));
#define RUN(suite) srunner_add_suite(all, suite());
    if (argc > 1 && strcmp(argv[1], "async") == 0) {
        EACH_ASYNC_SUITE(RUN)
    } else {
        EACH_SUITE(RUN)
    }
    srunner_run_all(all, CK_ENV);
    const int failed = srunner_ntests_failed(all);
    srunner_free(all);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
