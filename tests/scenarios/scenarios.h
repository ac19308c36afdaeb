/* scenarios.h - every theme of scenarios, and what they expect of answers alike. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include "tests/scenarios/support/client.h"
#include "tests/scenarios/support/server.h"

#include <check.h>

#define EACH_THEME(run) \
    run(routes_suite)             \
    run(users_suite)              \
    run(posts_suite)              \
    run(post_pages_suite)         \
    run(rendering_suite)          \
    run(boards_suite)             \
    run(http_arena_suite)         \
    run(http_arena_items_suite)   \
    run(cross_site_suite)         \
    run(imports_suite)            \
    run(exports_suite)            \
    run(import_faults_suite)      \
    run(static_files_suite)       \
    run(http_messages_suite)      \
    run(request_bodies_suite)     \
    run(malformed_requests_suite) \
    run(websockets_suite)         \
    run(websocket_compression_suite) \
    run(chat_suite)               \
    run(chat_servers_suite)       \
    run(events_suite)             \
    run(event_resume_suite)       \
    run(limits_suite)             \
    run(timeouts_suite)           \
    run(command_line_suite)       \
    run(start_and_stop_suite)     \
    run(stop_with_clients_suite)  \
    run(restarts_suite)           \
    run(reloading_suite)          \
    run(supervised_suite)         \
    run(unread_log_suite)         \
    run(listening_suite)          \
    run(scarce_resources_suite)   \
    run(cgroups_suite)            \
    run(many_clients_suite)       \
    run(overload_suite)           \
    run(threads_mode_suite)       \
    run(processes_suite)          \
    run(both_modes_suite)         \
    run(second_server_suite)      \
    run(compare_suite)            \
    run(patterns_suite)           \
    run(gallery_suite)            \
    run(gallery_written_suite)    \
    run(off_loop_suite)           \
    run(bounds_suite)             \
    run(sleepers_suite)           \
    run(phases_suite)             \
    run(gallery_together_suite)   \
    run(diagnostics_suite)        \
    run(metrics_suite)            \
    run(ready_suite)              \
    run(admin_suite)              \
    run(looked_at_suite)          \
    run(loop_page_suite)          \
    run(slow_requests_suite)      \
    run(postgres_queries_suite)   \
    run(postgres_faults_suite)    \
    run(sqlite_faults_suite)      \
    run(failover_suite)

#define DECLARE(suite) Suite *suite(void);
EACH_THEME(DECLARE)
#undef DECLARE

/* A test case of that name in s, whose tests share one server between start and server_fixture_stop. */
TCase *theme(Suite *s, const char *name, void (*start)(void));

/* The status, and how the Content-Type begins (NULL: any). */
#define expect(a, status, type) expect_at(__FILE__, __LINE__, a, status, type)
/* The status, as RFC 9457 has it: application/problem+json with type, title, status and detail. */
#define expect_problem(a, status) expect_problem_at(__FILE__, __LINE__, a, status)
/* The same of a 503 that says when to try again. */
#define expect_unavailable(a) expect_unavailable_at(__FILE__, __LINE__, a)
/* The body has that part. */
#define expect_body(a, part) expect_body_at(__FILE__, __LINE__, a, part)

void expect_at(const char *file, int line, answer a, int status, const char *type);
void expect_problem_at(const char *file, int line, answer a, int status);
void expect_unavailable_at(const char *file, int line, answer a);
void expect_body_at(const char *file, int line, answer a, const char *part);

#endif
