/* suites.h - every unit suite, in layer order; and what the tests share. */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

#define EACH_SUITE(run) \
    run(units_suite) \
    run(secret_suite) \
    run(config_suite) \
    run(config_file_suite) \
    run(options_suite) \
    run(healthcheck_suite) \
    run(combine_suite)  \
    run(semaphore_suite) \
    run(timing_suite)

#define DECLARE(suite) Suite *suite(void);
EACH_SUITE(DECLARE)
#undef DECLARE

#endif
