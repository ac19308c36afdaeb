/* main_async.c - runs the suites of server/base and server/async, in a program that has nothing else of the server: no
 * library but libuv. */
#include "suites.h"

#define ITEM(suite) suite,
static suite_fn *const ALL[] = { EACH_BASE_SUITE(ITEM) EACH_ASYNC_SUITE(ITEM) };

int main(void) { return suites_run(ALL, sizeof ALL / sizeof *ALL); }
