/* main.c - runs the suites, one per module, in layer order. */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *all = srunner_create(suite_create("tenk"));
#define RUN(suite) srunner_add_suite(all, suite());
    EACH_SUITE(RUN)
    srunner_run_all(all, CK_ENV);
    const int failed = srunner_ntests_failed(all);
    srunner_free(all);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
