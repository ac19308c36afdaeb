/* routes.c - the whole site in one table. */
#include "handlers.h"
#include "site.h"

enum { SLEEP_DEADLINE = LONGEST_SLEEP + 5000 };              /* ms: it promises to sleep so long */

const route ROUTES[] = {
    { "GET",  "/",                     .await = home },

    { "GET",  "/users",                .await = users, .needs = NEEDS_READS },
    { "GET",  "/users/:id",            .await = user_page, .needs = NEEDS_PAGE },
    { "GET",  "/users/:id/promises",   .promise = user_page_promises, .needs = NEEDS_PAGE },
    { "GET",  "/users/:id/callbacks",  .callback = user_page_callbacks, .needs = NEEDS_PAGE },
    { "GET",  "/users/:id/sequential", .await = user_page_sequential, .needs = NEEDS_PAGE },
    { "POST", "/users/:id/posts",      .await = post_new, .needs = NEEDS_WRITES },
    { "GET",  "/posts/:id",            .await = post_page, .needs = NEEDS_PAGE },
    { "POST", "/import",               .await = import, .streams = true },

    { "GET",  "/patterns",             .await = patterns, .there = site_has_gallery },
    { "GET",  "/patterns/:name",       .await = pattern_page, .there = site_has_gallery },

    { "GET",  "/sleep",                .await = sleep_await, .deadline = SLEEP_DEADLINE },
    { "GET",  "/sleep/promise",        .promise = sleep_promise, .deadline = SLEEP_DEADLINE },
    { "POST", "/echo",                 .await = echo },
    { "GET",  "/plaintext",            .await = plaintext },
    { "GET",  "/json",                 .await = json },
    { "GET",  "/healthz",              .await = healthz },
    { "GET",  "/stats",                .await = stats },
    { "GET",  "/static/*",             .await = static_file },

    { "GET",  "/db",                   .await = board_db, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/queries",              .await = board_queries, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/updates",              .await = board_updates, .needs = NEEDS_WRITES, .there = site_has_boards },
    { "GET",  "/fortunes",             .await = board_fortunes, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/cached-queries",       .await = board_cached_queries, .needs = NEEDS_READS, .there = site_has_boards },
};

const int ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0];
