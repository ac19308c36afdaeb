/* main.c - runs the suites, one per module, in layer order. */
#include "process_jobs.h"
#include "suites.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    processes_begin(argc, argv, TEST_JOBS, TEST_JOB_COUNT);
    SRunner *all = srunner_create(suite_create("tenk"));
#define RUN(suite) srunner_add_suite(all, suite());
    EACH_SUITE(RUN)
    srunner_run_all(all, CK_ENV);
    const int failed = srunner_ntests_failed(all);
    srunner_free(all);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
