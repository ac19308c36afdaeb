/* looked_at.c - a server that is looked at by another process: tenk ps, tenk top. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/launch.h"
#include "tests/support/skipped.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char out[1 << 20];

/* The exit code of tenk with that command and words for the server here. */
static int look(const char *command, const char *how)
{
    char process[16];
    snprintf(process, sizeof process, "%d", (int)here.pid);
    return how ? tenk_run(out, sizeof out, command, process, how, NULL) : tenk_run(out, sizeof out, command, process, NULL);
}

static void printed(const char *part) { ck_assert_msg(strstr(out, part) != NULL, "no \"%s\" in: %.3000s", part, out); }

/* Some kernels let a process look only into its own children. */
static bool may_look(const char *test)
{
    if (look("ps", NULL) == 0)
        return true;
    if (!strstr(out, "kernel.yama"))
        printed("tenk 0");
    skipped(test, NEEDS_PTRACE);
    return false;
}

static bool sees(const char *how, const char *part)
{
    return look("ps", how) == 0 && strstr(out, part) != NULL;
}

START_TEST(each_request_is_seen_with_what_it_waits_for)
{
    server_start("looked_at", NULL);
    client *task = client_asking("/sleep?ms=60000"), *promise = client_asking("/sleep/promise?ms=60000");
    if (may_look(__func__)) {
        if (in_threads_mode()) {
            ck_assert(eventually(10, sees(NULL, ": GET /sleep, ") && strstr(out, ": GET /sleep/promise, ")));
            ck_assert(eventually(10, sees(NULL, "blocks in ") && strstr(out, "sleep_await (handlers/sleep.c:")));
            printed("threads mode: ");
        } else {
            ck_assert(eventually(10, sees(NULL, "ms old (GET /sleep), awaits sleep_for() at handlers/sleep.c:")));
            ck_assert(eventually(10, sees("--tree", ": GET /sleep/promise, ") &&
                                     strstr(out, "\n  sleep_for() at handlers/sleep.c:")));
            printed("loop 1, thread ");
        }
        ck_assert_int_eq(look("top", "--once"), 0);
        printed("GET /sleep");
        printed("CPU ");
    }
    ck_assert_int_eq(get("/healthz").status, 200);
    client_reset(task);
    client_reset(promise);
    server_stop();
}
END_TEST

START_TEST(as_json_a_program_can_read_it)
{
    server_start("looked_at", NULL);
    client *c = client_asking("/sleep?ms=60000");
    json_error_t error;
    if (may_look(__func__)) {
        ck_assert(eventually(10, sees("--json", "\"age_ms\":") && strstr(out, "/sleep")));
        json_t *all = json_loads(out, 0, &error);
        ck_assert_msg(all != NULL, "%s: %s", error.text, out);
        ck_assert_int_eq(number_of(all, "pid"), here.pid);
        ck_assert_str_eq(json_string_value(json_object_get(all, "mode")), in_threads_mode() ? "threads" : "async");
        const json_t *first = json_array_get(json_object_get(all, in_threads_mode() ? "threads" : "tasks"), 0);
        ck_assert_str_eq(json_string_value(json_object_get(first, in_threads_mode() ? "route" : "for")), "GET /sleep");
        json_decref(all);
    }
    client_reset(c);
    server_stop();
}
END_TEST

START_TEST(a_server_is_found_and_of_several_one_must_be_named)
{
    server_start("looked_at", NULL);
    const server one = here;
    if (may_look(__func__)) {
        char process[16];
        server_start("looked_at_too", NULL);
        ck_assert_int_eq(tenk_run(out, sizeof out, "ps", NULL), 1);
        printed("several run here; which one is meant?");
        snprintf(process, sizeof process, "ps %d ", (int)one.pid);
        printed(process);
        snprintf(process, sizeof process, "ps %d ", (int)here.pid);
        printed(process);
        server_stop();
        here = one;
    }
    server_stop();
}
END_TEST

START_TEST(what_was_done_last_is_recorded)
{
    server_start("looked_at", NULL);
    ck_assert_int_eq(get("/healthz").status, 200);
    ck_assert_int_eq(get("/users/5").status, 200);
    if (may_look(__func__)) {
        json_error_t error;
        ck_assert_int_eq(look("record", NULL), 0);
        json_t *trace = json_loads(out, 0, &error);
        ck_assert_msg(trace != NULL, "%s: %s", error.text, out);
        ck_assert(json_is_array(json_object_get(trace, "traceEvents")));
        printed("\"name\":\"GET /healthz\",\"cat\":\"request\"");
        printed("\"name\":\"GET /users/:id\",\"cat\":\"request\"");
        printed("\"cat\":\"query\"");
        json_decref(trace);
        ck_assert_int_eq(look("record", "--svg"), 0);
        ck_assert_int_eq(strncmp(out, "<svg xmlns=", 11), 0);
        printed("<title>GET /healthz, ");
        printed("<title>GET /users/:id, ");
        printed("<title>query user_by_id, ");
    }
    server_stop();
    server_start("looked_at", "TENK_LOG_RECORDER=0", NULL);
    if (may_look(__func__)) {
        ck_assert_int_eq(look("record", NULL), 1);
        printed("has no recorder ([log] recorder)");
    }
    server_stop();
}
END_TEST

static bool there_is(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", here.folder, name);
    return access(path, R_OK) == 0;
}

static json_t *trace_in(const char *name)
{
    char path[256];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s", here.folder, name);
    json_t *trace = json_load_file(path, 0, &error);
    ck_assert_msg(trace != NULL, "%s: %s", path, error.text);
    ck_assert(json_array_size(json_object_get(trace, "traceEvents")) > 2);
    return trace;
}

static void drawing_in(const char *name)
{
    char path[256], begins[12] = "";
    snprintf(path, sizeof path, "%s/%s", here.folder, name);
    FILE *const f = fopen(path, "r");
    ck_assert_msg(f && fread(begins, 1, 11, f) == 11, "%s", path);
    ck_assert_str_eq(begins, "<svg xmlns=");
    fclose(f);
}

static const char *file_of(int number, const char *ending)
{
    static char names[2][64];
    char *const name = names[*ending == 's'];
    snprintf(name, sizeof names[0], "tenk-%d-%d.%s", (int)here.pid, number, ending);
    return name;
}

START_TEST(a_signal_has_it_written_to_a_file_and_there_are_ten_at_most)
{
    char said[256];
    server_start("looked_at", NULL);
    ck_assert_int_eq(get("/healthz").status, 200);
    for (int i = 0; i < 11; i++) {
        snprintf(said, sizeof said, "what was done last is in ./%s, and drawn in ./%s", file_of(i % 10, "json"),
                 file_of(i % 10, "svg"));
        if (i < 10)
            ck_assert(!there_is(file_of(i, "json")));
        server_signal(SIGUSR1);
        if (i < 10)
            ck_assert(eventually(20, there_is(file_of(i, "json")) && there_is(file_of(i, "svg"))));
        ck_assert(server_says(said));
    }
    json_decref(trace_in(file_of(0, "json")));
    drawing_in(file_of(0, "svg"));
    ck_assert(!there_is(file_of(10, "json")));
    ck_assert(!there_is(file_of(10, "svg")));
    ck_assert_int_eq(get("/healthz").status, 200);
    server_stop();
}
END_TEST

START_TEST(a_slow_request_has_it_written_once)
{
    server_start("looked_at", "TENK_LOG_SLOW_REQUEST=5ms", NULL);
    ck_assert_int_eq(get("/sleep?ms=20").status, 200);
    ck_assert(eventually(20, there_is(file_of(0, "json"))));
    json_decref(trace_in(file_of(0, "json")));
    ck_assert_int_eq(get("/sleep?ms=20").status, 200);
    server_stop();                           /* what is asked for by then is written before the end */
    ck_assert(!there_is(file_of(1, "json")));
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_to_is_said)
{
    server_start("looked_at", "TENK_LOG_RECORDINGS=/nowhere/at/all", NULL);
    server_signal(SIGUSR1);
    ck_assert(server_says("warning: what was done last cannot be written down: /nowhere/at/all/tenk-"));
    ck_assert_int_eq(get("/healthz").status, 200);
    server_stop();
}
END_TEST

/* Blocks once more: a watchdog that had no processor itself does not count that time as the loop's. */
static bool stall_is_known(void)
{
    ck_assert_int_eq(get_as("/patterns/pitfall-sleep", "application/json").status, 200);
    return look("stalls", NULL) == 0 && strstr(out, "GET /patterns/:name;") &&
           strstr(out, ";block_for (handlers/gallery/patterns/");
}

START_TEST(where_a_loop_was_blocked_is_a_folded_stack)
{
    server_start("looked_at", "--mode", "async", "TENK_PATTERNS_ENABLED=on", NULL);
    if (may_look(__func__)) {
        ck_assert_int_eq(look("stalls", NULL), 0);
        ck_assert(eventually(20, stall_is_known()));
        const char *line = strstr(out, "GET /patterns/:name;"), *value = strchr(line, '\n');
        ck_assert_ptr_nonnull(value);
        while (value[-1] >= '0' && value[-1] <= '9')
            value--;
        ck_assert_int_eq(value[-1], ' ');
        ck_assert(strstr(get("/stats").body, "\"GET /patterns/:name\":{\"times\":"));
        ck_assert(strstr(get("/stats").body, ",\"ms\":{\""));
    }
    server_stop();
}
END_TEST

/* Somebody else has the database to himself for writing, until he is asked to give it back. */
static sqlite3 *database_lock(void)
{
    char file[256];
    sqlite3 *other;
    snprintf(file, sizeof file, "%s/tenk.db", here.folder);
    ck_assert_int_eq(sqlite3_open(file, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    return other;
}

static bool loop_page_sees(const char *part)
{
    return strstr(get_as("/loop?for=1", "application/json").body, part) != NULL;
}

START_TEST(a_query_and_a_job_are_seen_while_they_run)
{
    server_start("looked_at", "--mode", "async", "TENK_PATTERNS_ENABLED=on", "TENK_TIMEOUTS_REQUEST=5m",
                 "TENK_DATABASE_TIMEOUT=5m", NULL);          /* however long it takes to look */
    if (may_look(__func__)) {
        sqlite3 *const other = database_lock();
        client *post = client_new(), *job;
        client_say(post, "POST /users/1/posts HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
                         "{\"title\":\"t\",\"body\":\"b\"}");
        ck_assert(eventually(20, sees(NULL, "\nsqlite writer 1, thread ") &&
                                 strstr(out, ": post_new for POST /users/:id/posts, ")));
        ck_assert(eventually(20, sees("--json", "\"name\":\"sqlite writer\"")));
        ck_assert(eventually(20, loop_page_sees("\"name\":\"sqlite writer\",\"what\":\"post_new\"")));
        sqlite3_exec(other, "rollback", NULL, NULL, NULL);
        sqlite3_close(other);
        ck_assert_int_eq(client_answer(post).status, 201);
        ck_assert(eventually(20, look("ps", NULL) == 0 && !strstr(out, "sqlite writer")));
        bool seen = false;
        for (int i = 0; i < 20 && !seen; i++) {              /* each takes a second at most */
            job = client_asking("/block?ms=1000");
            seen = eventually(2, sees(NULL, "\npool thread ") && strstr(out, ": cpu for GET /block, "));
            client_reset(job);
        }
        ck_assert(seen);
        client_free(post);
    }
    server_stop();
}
END_TEST

START_TEST(another_user_is_told_that_he_may_not_look)
{
    server_start("looked_at", NULL);
    if (geteuid() == 0) {
        next_as_user(65534);
        ck_assert_int_eq(look("ps", NULL), 1);
        printed(" may not be looked at: only its own user may, or root");
    }
    server_stop();
}
END_TEST

Suite *looked_at_suite(void)
{
    Suite *s = suite_create("looked_at");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_request_is_seen_with_what_it_waits_for);
    tcase_add_test(t, as_json_a_program_can_read_it);
    tcase_add_test(t, a_server_is_found_and_of_several_one_must_be_named);
    tcase_add_test(t, what_was_done_last_is_recorded);
    tcase_add_test(t, a_signal_has_it_written_to_a_file_and_there_are_ten_at_most);
    tcase_add_test(t, a_slow_request_has_it_written_once);
    tcase_add_test(t, a_folder_that_cannot_be_written_to_is_said);
    if (!in_threads_mode()) {
        tcase_add_test(t, where_a_loop_was_blocked_is_a_folded_stack);
        tcase_add_test(t, a_query_and_a_job_are_seen_while_they_run);
    }
    tcase_add_test(t, another_user_is_told_that_he_may_not_look);
    suite_add_tcase(s, t);
    return s;
}
