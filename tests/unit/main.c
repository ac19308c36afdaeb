/* main.c - runs all unit suites, or with the argument async those to which it matters how tasks switch. */
#include "tests/unit/executor/process/process_jobs.h"
#include "suites.h"

#include <string.h>

#define ITEM(suite) suite,
static suite_fn *const ALL[] = { EACH_SUITE(ITEM) }, *const OF_TASKS[] = { EACH_TASK_SUITE(ITEM) };

int main(int argc, char *argv[])
{
    process_pool_begin(argc, argv, TEST_JOBS, TEST_JOB_COUNT);
    if (argc > 1 && strcmp(argv[1], "async") == 0)
        return suites_run(OF_TASKS, sizeof OF_TASKS / sizeof *OF_TASKS);
    return suites_run(ALL, sizeof ALL / sizeof *ALL);
}
