/* main.c - runs the unit suites: all, or those of the part that is named. */
#include "tests/unit/executor/process/process_jobs.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define ITEM(suite) suite,
static suite_fn *const ALL[] = { EACH_SUITE(ITEM) }, *const OF_TASKS[] = { EACH_TASK_SUITE(ITEM) },
                *const OF_HTTP[] = { EACH_SERVED_SUITE(ITEM) },
                *const OF_DB[] = { EACH_DB_SUITE(ITEM) }, *const OF_POSTGRES[] = { EACH_POSTGRES_SUITE(ITEM) };

#define PART(name, suites) { name, suites, sizeof suites / sizeof *suites }
static const struct { const char *name; suite_fn *const *suites; size_t count; } PARTS[] = {
    PART("async", OF_TASKS), PART("http", OF_HTTP), PART("db", OF_DB), PART("postgres", OF_POSTGRES),
};

int main(int argc, char *argv[])
{
    process_pool_begin(argc, argv, TEST_JOBS, TEST_JOB_COUNT);
    if (argc < 2)
        return suites_run(ALL, sizeof ALL / sizeof *ALL);
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (strcmp(argv[1], PARTS[i].name) == 0)
            return suites_run(PARTS[i].suites, PARTS[i].count);
    fprintf(stderr, "there is no part \"%s\": async, http, db, postgres\n", argv[1]);
    return 2;
}
