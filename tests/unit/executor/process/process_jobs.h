/* process_jobs.h - what the worker processes of the unit tests can do: good, and bad in every way. */
#ifndef TESTS_PROCESS_JOBS_H
#define TESTS_PROCESS_JOBS_H

#include "server/executor/process/process_pool.h"

extern const process_job TEST_ECHO, TEST_PID, TEST_FAIL, TEST_TAKE, TEST_TOO_MUCH, TEST_POSSESSIONS,
                         TEST_CRASH, TEST_ABORT, TEST_EXIT, TEST_SPIN, TEST_LEAK,
                         TEST_GARBAGE, TEST_STRANGE, TEST_LONG_ERROR, TEST_HUGE, TEST_POSITIVE, TEST_CHATTY;

extern const process_job *const TEST_JOBS[];
extern const int                TEST_JOB_COUNT;

/* Sets up folder/libuv.so.1 and LD_LIBRARY_PATH so that a program that is started now dies before its main. */
void process_jobs_prevent(void);
void process_jobs_allow(void);

#endif
