/* suites.h - every unit suite, in layer order; and what the tests share. */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

#define EACH_SUITE(run) \
    run(combine_suite)  \
    run(semaphore_suite) \
    run(timing_suite) \
    run(schema_suite) \
    run(sqlite_suite) \
    run(postgres_suite) \
    run(postgres_faults_suite)

#define DECLARE(suite) Suite *suite(void);
EACH_SUITE(DECLARE)
#undef DECLARE

#endif
