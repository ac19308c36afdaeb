/* routes.c - the whole site in one table. */
#include "handlers.h"
#include "server/http/cors.h"
#include "server/http/middleware/rate_limit.h"
#include "site.h"

enum { SLEEP_DEADLINE = LONGEST_SLEEP + 5000 };              /* ms: it promises to sleep so long */

/* Of what programs and pages of other sites ask for: [cors] and [rate_limit] say who may, and how often. */
static middleware *const OPEN[] = { cors, rate_limited, NULL };

const route ROUTES[] = {
    { "GET",  "/",                     .answer = home },

    { "GET",  "/users",                .await = users, .needs = NEEDS_READS, .before = OPEN },
    { "GET",  "/users/:id",            .await = user_page, .needs = NEEDS_PAGE, .before = OPEN },
    { "GET",  "/users/:id/promises",   .promise = user_page_promises, .needs = NEEDS_PAGE, .before = OPEN },
    { "GET",  "/users/:id/callbacks",  .callback = user_page_callbacks, .needs = NEEDS_PAGE, .before = OPEN },
    { "GET",  "/users/:id/sequential", .await = user_page_sequential, .needs = NEEDS_PAGE, .before = OPEN },
    { "POST", "/users/:id/posts",      .await = post_new, .needs = NEEDS_WRITES, .before = OPEN },
    { "GET",  "/users/:id/posts.ndjson", .await = export_user, .before = OPEN },
    { "GET",  "/posts/:id",            .await = post_page, .needs = NEEDS_PAGE, .before = OPEN },
    { "POST", "/import",               .await = import, .streams = true, .before = OPEN },
    { "GET",  "/export.ndjson",        .await = export_posts, .before = OPEN },

    { "GET",  "/chat",                 .await = chat_rooms, .needs = NEEDS_READS },
    { "GET",  "/chat/:room",           .await = chat_room_page, .needs = NEEDS_READS, .before = OPEN },
    { "POST", "/chat/:room",           .await = chat_say, .needs = NEEDS_WRITES, .before = OPEN },
    { "GET",  "/ws/chat/:room",        .await = chat_socket, .websocket = true },

    { "GET",  "/patterns",             .answer = patterns, .there = site_has_gallery },
    { "GET",  "/patterns/loop",        .answer = pattern_loop, .there = site_has_gallery },
    { "GET",  "/patterns/source/*",    .answer = pattern_source, .there = site_has_gallery },
    { "GET",  "/patterns/:name",       .await = pattern_page, .there = site_has_gallery },
    { "POST", "/patterns/background/letters",     .answer = letter_post, .there = site_has_gallery },
    { "GET",  "/patterns/background/letters/:id", .answer = letter_look, .there = site_has_gallery },

    { "GET",  "/loop",                 .await = loop_page, .there = site_has_gallery, .admin = true },
    { "GET",  "/loop/events",          .await = loop_events, .there = site_has_gallery, .admin = true },

    { "GET",  "/compare",              .answer = compare_page, .there = site_has_gallery },
    { "POST", "/compare",              .answer = compare_start, .there = site_has_gallery },
    { "GET",  "/compare/database",     .await = compare_database, .needs = NEEDS_READS, .there = site_has_gallery },
    { "GET",  "/compare/cpu",          .await = compare_cpu, .there = site_has_gallery },

    { "GET",  "/requests",             .await = requests_slowest, .there = site_has_gallery, .admin = true },
    { "GET",  "/requests/:id",         .await = request_one, .there = site_has_gallery, .admin = true },
    { "GET",  "/advisor",              .await = advisor, .there = site_has_gallery, .admin = true },
    { "GET",  "/workloads",            .answer = workloads, .admin = true },

    { "GET",  "/sleep",                .await = sleep_await, .deadline = SLEEP_DEADLINE, .before = OPEN },
    { "GET",  "/sleep/promise",        .promise = sleep_promise, .deadline = SLEEP_DEADLINE, .before = OPEN },
    { "GET",  "/block",                .await = block, .there = site_has_gallery },
    { "POST", "/echo",                 .answer = echo, .before = OPEN },
    { "GET",  "/whoami",               .answer = whoami, .before = OPEN },
    { "GET",  "/ws/echo",              .await = ws_echo, .websocket = true },
    { "GET",  "/ws/echo/promise",      .promise = ws_echo_promise, .websocket = true },
    { "GET",  "/ws/echo/callback",     .callback = ws_echo_callback, .websocket = true },
    { "GET",  "/events/*",             .promise = events, .events = true, .before = OPEN },
    { "GET",  "/countdown",            .await = countdown, .before = OPEN },
    { "GET",  "/plaintext",            .answer = plaintext },
    { "GET",  "/json",                 .answer = json },
    { "GET",  "/healthz",              .answer = healthz, .admin = true },
    { "GET",  "/readyz",               .await = readyz, .admin = true },
    { "GET",  "/metrics",              .await = metrics, .there = site_has_admin, .admin = true },
    { "GET",  "/stats",                .answer = stats, .there = site_has_admin, .admin = true },
    { "GET",  "/log/level",            .answer = log_level_look, .there = site_has_admin, .admin = true },
    { "PUT",  "/log/level",            .answer = log_level_change, .there = site_has_admin, .admin = true },
    { "POST", "/recordings",           .answer = recording_ask, .there = site_has_admin, .admin = true },
    { "GET",  "/static/*",             .await = static_file, .admin = true },

    { "GET",  "/db",                   .await = board_db, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/queries",              .await = board_queries, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/updates",              .await = board_updates, .needs = NEEDS_WRITES, .there = site_has_boards },
    { "GET",  "/fortunes",             .await = board_fortunes, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/cached-queries",       .await = board_cached_queries, .needs = NEEDS_READS, .there = site_has_boards },

    { "GET",  "/baseline11",           .answer = board_baseline, .there = site_has_boards },
    { "POST", "/baseline11",           .answer = board_baseline, .there = site_has_boards },
    { "GET",  "/pipeline",             .answer = board_pipeline, .there = site_has_boards },
    { "POST", "/upload",               .await = board_upload, .streams = true, .there = site_has_boards },
    { "GET",  "/delay/:ms",            .promise = board_delay, .deadline = SLEEP_DEADLINE, .there = site_has_boards },
    { "GET",  "/json/:count",          .await = board_json, .there = site_has_boards },
    { "GET",  "/async-db",             .await = board_async_db, .needs = NEEDS_READS, .there = site_has_boards },
    { "GET",  "/crud/items",           .await = board_crud_list, .needs = NEEDS_READS, .there = site_has_boards },
    { "POST", "/crud/items",           .await = board_crud_new, .needs = NEEDS_WRITES, .there = site_has_boards },
    { "GET",  "/crud/items/:id",       .await = board_crud_item, .needs = NEEDS_READS, .there = site_has_boards },
    { "PUT",  "/crud/items/:id",       .await = board_crud_change, .needs = NEEDS_WRITES, .there = site_has_boards },
};

const int ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0];
