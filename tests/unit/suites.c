/* suites.c - see suites.h. */
#include "suites.h"
#include "server/base/machine.h"
#include "server/base/reserve.h"
#include "tests/support/skipped.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* AddressSanitizer keeps for a while what was freed. A test, which is forked from the runner, would look for leaks among all
 * that the runner has freed after the tests before it. */
__attribute__((weak)) void __sanitizer_purge_allocator(void);    /* NOLINT(bugprone-reserved-identifier) */
static pid_t runner;

static void on_fork(void)
{
    if (getpid() == runner)
        __sanitizer_purge_allocator();
}

/* The linker's: what is static and zero at the start. LeakSanitizer looks through it at the end of each test. A sanitizer has
 * some of its own, which clang links with the program. */
extern char __bss_start[], _end[];           /* NOLINT(bugprone-reserved-identifier) */
enum { MOST_STATIC = 8 << 20 };

int suites_run(suite_fn *const suites[], size_t count)
{
    if (!RESERVE_NOTHING && _end - __bss_start > MOST_STATIC) {
        fprintf(stderr, "%td KiB are static: what is large is for zeros() in support.h\n", (_end - __bss_start) >> 10);
        return EXIT_FAILURE;
    }
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);   /* only for what hangs: a busy machine is no fault */
    machine_raise_open_files();              /* as the server does: both ends of a thousand connections are here */
    skipped_begin();
    runner = getpid();
    if (__sanitizer_purge_allocator)
        pthread_atfork(on_fork, NULL, NULL);
    SRunner *all = srunner_create(suite_create("tenk"));
    for (size_t i = 0; i < count; i++)
        srunner_add_suite(all, suites[i]());
    srunner_run_all(all, CK_ENV);
    const int failed = srunner_ntests_failed(all);
    srunner_free(all);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
