/* suites.c - see suites.h. */
#include "suites.h"
#include "tests/support/skipped.h"

#include <stdlib.h>

int suites_run(suite_fn *const suites[], size_t count)
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);   /* only for what hangs: a busy machine is no fault */
    skipped_begin();
    SRunner *all = srunner_create(suite_create("tenk"));
    for (size_t i = 0; i < count; i++)
        srunner_add_suite(all, suites[i]());
    srunner_run_all(all, CK_ENV);
    const int failed = srunner_ntests_failed(all);
    srunner_free(all);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
