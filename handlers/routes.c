/* routes.c - the whole site in one table. */
#include "handlers.h"
#include "site.h"

enum { SLEEP_DEADLINE = LONGEST_SLEEP + 5000 };              /* ms: it promises to sleep so long */

const route ROUTES[] = {
    { "GET",  "/",                     .answer = home },

    { "GET",  "/users",                .await = users, .needs = NEEDS_READS },
    { "GET",  "/users/:id",            .await = user_page, .needs = NEEDS_PAGE },
    { "GET",  "/users/:id/promises",   .promise = user_page_promises, .needs = NEEDS_PAGE },
    { "GET",  "/users/:id/callbacks",  .callback = user_page_callbacks, .needs = NEEDS_PAGE },
    { "GET",  "/users/:id/sequential", .await = user_page_sequential, .needs = NEEDS_PAGE },
    { "POST", "/users/:id/posts",      .await = post_new, .needs = NEEDS_WRITES },
    { "GET",  "/users/:id/posts.ndjson", .await = export_user },
    { "GET",  "/posts/:id",            .await = post_page, .needs = NEEDS_PAGE },
    { "POST", "/import",               .await = import, .streams = true },
    { "GET",  "/export.ndjson",        .await = export_posts },

    { "GET",  "/chat",                 .await = chat_rooms, .needs = NEEDS_READS },
    { "GET",  "/chat/:room",           .await = chat_room_page, .needs = NEEDS_READS },
    { "POST", "/chat/:room",           .await = chat_say, .needs = NEEDS_WRITES },
    { "GET",  "/ws/chat/:room",        .await = chat_socket, .websocket = true },

    { "GET",  "/patterns",             .answer = patterns, .there = site_has_gallery },
    { "GET",  "/patterns/:name",       .await = pattern_page, .there = site_has_gallery },

    { "GET",  "/sleep",                .await = sleep_await, .deadline = SLEEP_DEADLINE },
    { "GET",  "/sleep/promise",        .promise = sleep_promise, .deadline = SLEEP_DEADLINE },
    { "POST", "/echo",                 .answer = echo },
    { "GET",  "/ws/echo",              .await = ws_echo, .websocket = true },
    { "GET",  "/ws/echo/promise",      .promise = ws_echo_promise, .websocket = true },
    { "GET",  "/ws/echo/callback",     .callback = ws_echo_callback, .websocket = true },
    { "GET",  "/events/*",             .promise = events, .events = true },
    { "GET",  "/countdown",            .await = countdown },
    { "GET",  "/plaintext",            .answer = plaintext },
    { "GET",  "/json",                 .answer = json },
    { "GET",  "/healthz",              .answer = healthz },
    { "GET",  "/stats",                .answer = stats },
    { "GET",  "/static/*",             .await = static_file },

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
