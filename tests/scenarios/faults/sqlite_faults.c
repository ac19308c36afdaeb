/* sqlite_faults.c - SQLite when the process is killed, the disk is full or cannot be written, the
 * file is damaged. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/load.h"
#include "tests/scenarios/support/run.h"
#include "tests/support/skipped.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first column of the first row, as text. */
static void ask_file(const char *path, const char *sql, char *answered, size_t size)
{
    sqlite3 *s;
    sqlite3_stmt *q = NULL;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    sqlite3_busy_timeout(s, 5000);
    ck_assert_msg(sqlite3_prepare_v2(s, sql, -1, &q, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(s));
    ck_assert_msg(sqlite3_step(q) == SQLITE_ROW, "%s", sqlite3_errmsg(s));
    snprintf(answered, size, "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_close(s);
}

static void expect_whole(const char *path, load *l)
{
    char answered[256];
    int count;
    ask_file(path, "pragma integrity_check", answered, sizeof answered);
    ck_assert_str_eq(answered, "ok");
    char *titles = load_acknowledged(l, &count), *sql = malloc(strlen(titles) + 128);
    sprintf(sql, "select count(distinct title) from posts where title in (%s)", titles);
    ask_file(path, sql, answered, sizeof answered);
    ck_assert_msg(atoi(answered) == count, "%d posts were acknowledged, %s of them are there",
                  count, answered);
    free(sql);
    free(titles);
}

START_TEST(what_was_acknowledged_survives_kill_9)
{
    char path[256], url[300];
    for (int round = 0; round < 3; round++) {
        server_start("sqlite-faults", "--workers", round == 2 ? "2" : "1", NULL);
        load *l = load_start(1, 6, 1);
        const int enough = scaled(200) * (round + 1);
        ck_assert(eventually(15, load_writers(l)->good >= enough));
        server_kill();
        load_stop(l);
        snprintf(path, sizeof path, "%s/tenk.db", here.folder);
        expect_whole(path, l);
        ck_assert_int_eq(load_writers(l)->other + load_writers(l)->unavailable, 0);

        snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", path);
        server_start("sqlite-faults", url, NULL);            /* and it goes on */
        expect(get("/users/42"), 200, "text/html");
        ck_assert_int_eq(
            post("/users/42/posts", "application/json", "{\"title\":\"after\",\"body\":\"b\"}")
                .status,
            201);
        server_stop();
        expect_whole(path, l);
        load_free(l);
    }
}
END_TEST

START_TEST(what_was_acknowledged_is_there_after_sigterm)
{
    char path[256];
    server_start("sqlite-faults", NULL);
    load *l = load_start(1, 4, 0);
    ck_assert(eventually(15, load_writers(l)->good >= scaled(200)));
    snprintf(path, sizeof path, "%s/tenk.db", here.folder);
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
    load_stop(l);
    expect_whole(path, l);
    load_free(l);
}
END_TEST

START_TEST(a_post_that_waits_for_the_lock_longer_than_its_request_may_is_504_and_not_stored)
{
    char file[256], answered[64];
    sqlite3 *other;
    server_start("sqlite-faults", "TENK_TIMEOUTS_REQUEST=300ms", NULL);
    snprintf(file, sizeof file, "%s/tenk.db", here.folder);
    ck_assert_int_eq(sqlite3_open(file, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    const double before = granted_s();
    expect_problem(post("/users/1/posts", "application/json", "{\"title\":\"too late\",\"body\":\"b\"}"), 504);
    ck_assert_double_lt(granted_s() - before, 3);
    ck_assert(eventually(5, get("/users/42").status == 200));        /* in as little time, which may have to be tried */
    ck_assert_int_eq(sqlite3_exec(other, "rollback", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    ck_assert(eventually(5, post("/users/1/posts", "application/json", "{\"title\":\"in time\",\"body\":\"b\"}").status == 201));
    ask_file(file, "select count(*) from posts where title = 'too late'", answered, sizeof answered);
    ck_assert_str_eq(answered, "0");
    server_stop();
}
END_TEST

/* A disk of its own, seen by this test only; false where that is not allowed. */
static bool small_disk(const char *test, char *folder, size_t size, const char *options)
{
    snprintf(folder, size, "%s/disk", run_folder());
    mkdir(folder, 0755);
    return mount_or_skip(test, folder, options);
}

START_TEST(a_full_disk_stops_the_writing_and_nothing_else)
{
    char folder[200], url[300], path[256];
    if (!small_disk(__func__, folder, sizeof folder, "size=96m"))
        return;
    run_copy_database(folder);
    snprintf(path, sizeof path, "%s/tenk.db", folder);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", path);
    server_start("sqlite-faults", url, "TENK_LIMITS_BODY=128KiB", NULL);
    ck_assert_int_eq(
        post("/users/1/posts", "application/json", "{\"title\":\"before\",\"body\":\"b\"}").status,
        201);

    char filler[256], *large = malloc(70000), *chunk = calloc(1, 1 << 20);
    snprintf(filler, sizeof filler, "%s/filler", folder);
    const int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (size_t piece = 1 << 20; piece >= 4096; piece /= 2)
        while (write(fd, chunk, piece) == (ssize_t)piece)
            ;
    close(fd);
    sprintf(large, "{\"title\":\"large\",\"body\":\"%060000d\"}", 0);
    int stored = 0;
    answer a;
    do {
        a = post("/users/1/posts", "application/json", large);
        stored += a.status == 201;
    } while (a.status == 201 && stored < 1000);
    ck_assert_msg(a.status == 507 || a.status == 503 || a.status == 500, "on a full disk: %d",
                  a.status);
    expect_problem(a, a.status);
    expect(get("/users/42"), 200, "text/html");
    expect(get("/healthz"), 200, NULL);

    unlink(filler);
    ck_assert_msg(eventually(5, post("/users/1/posts", "application/json", large).status == 201),
                  "it does not recover");
    server_stop();
    char answered[64];
    ask_file(path, "pragma integrity_check", answered, sizeof answered);
    ck_assert_str_eq(answered, "ok");
    ask_file(path, "select count(*) from posts where title = 'large'", answered, sizeof answered);
    ck_assert_int_eq(atoi(answered), stored + 1);
    free(large);
    free(chunk);
}
END_TEST

static char out[16384];

static void does_not_start(const char *url, const char *says)
{
    char setting[300];
    snprintf(setting, sizeof setting, "DATABASE_URL=sqlite:%s", url);
    const int code = tenk_run(out, sizeof out, setting, "PORT=0", NULL);
    ck_assert_msg(code == 1, "%s: exit %d: %s", url, code, out);
    ck_assert_msg(strstr(out, says) != NULL, "%s: no \"%s\" in: %s", url, says, out);
}

START_TEST(a_disk_too_small_for_the_seed_is_said_and_leaves_nothing_half_made)
{
    char folder[200], path[256];
    if (!small_disk(__func__, folder, sizeof folder, "size=2m"))
        return;
    snprintf(path, sizeof path, "%s/new.db", folder);
    does_not_start(path, "new.db");
    ck_assert_msg(strcasestr(out, "full") || strcasestr(out, "space"), "%s", out);
    char remount[64] = "size=1g";
    ck_assert_int_eq(mount(NULL, folder, NULL, MS_REMOUNT, remount), 0);
    char url[300];
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", path);
    server_start("sqlite-faults", url, NULL); /* with room it is made as if nothing had been */
    expect(get("/users/10000"), 200, "text/html");
    server_stop();
}
END_TEST

START_TEST(a_database_that_cannot_be_written_is_said)
{
    char folder[200], path[256];
    does_not_start("/nowhere/at/all.db", "/nowhere/at/all.db");
    does_not_start("/proc/tenk.db", "/proc/tenk.db");
    does_not_start(run_folder(), run_folder());
    if (!small_disk(__func__, folder, sizeof folder, "size=96m"))
        return;
    run_copy_database(folder);
    ck_assert_int_eq(mount(NULL, folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    snprintf(path, sizeof path, "%s/tenk.db", folder);
    does_not_start(path, "tenk.db cannot be written: Read-only file system");
    snprintf(path, sizeof path, "%s/new.db", folder);
    does_not_start(path, "new.db cannot be written: Read-only file system");
}
END_TEST

START_TEST(a_file_that_is_no_database_is_said_and_left_alone)
{
    char path[256], after[64] = "";
    snprintf(path, sizeof path, "%s/letter.txt", run_folder());
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("Dear reader, this is no database.\n", f);
    fclose(f);
    does_not_start(path, "letter.txt");
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(after, sizeof after, f));
    fclose(f);
    ck_assert_str_eq(after, "Dear reader, this is no database.\n");
}
END_TEST

START_TEST(a_damaged_page_is_an_error_where_it_is_read_and_nowhere_else)
{
    char path[256], url[300], sql[128], root[32];
    static const char noise[4096] = { 77, 77, 77 };
    char folder[200];
    snprintf(folder, sizeof folder, "%s/damaged", run_folder());
    mkdir(folder, 0755);
    run_copy_database(folder);
    snprintf(path, sizeof path, "%s/tenk.db", folder);
    snprintf(sql, sizeof sql, "select rootpage from sqlite_master where name = 'posts_of_user'");
    ask_file(path, sql, root, sizeof root);
    char page[32];
    ask_file(path, "pragma page_size", page, sizeof page);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, noise, sizeof noise, (atol(root) - 1) * atol(page)), sizeof noise);
    close(fd);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", path);
    server_start("sqlite-faults", url, NULL);
    const answer a = get("/users/42");
    ck_assert_msg(a.status == 500 || a.status == 503, "%d", a.status);
    expect_problem(a, a.status);
    expect(get("/healthz"), 200, NULL);
    expect(get("/json"), 200, NULL);
    expect(get("/users"), 200, "text/html"); /* that page of the file is whole */
    server_stop();
}
END_TEST

static void change_file(const char *path, const char *sql)
{
    sqlite3 *s;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(s, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(s);
}

/* As tables were made before they kept their types: such files are still about. */
#define NOT_STRICT "pragma writable_schema = on;" \
                   "update sqlite_master set sql = replace(sql, 'strict', ''); pragma writable_schema = reset;"

START_TEST(a_stored_value_of_another_type_is_an_error_and_never_the_end)
{
    static const char *const PAGES[] = { "/users/1", "/users/1/promises", "/users/1/callbacks", "/users/1/sequential" };
    char folder[200], path[256], url[300];
    snprintf(folder, sizeof folder, "%s/types", run_folder());
    mkdir(folder, 0755);
    run_copy_database(folder);
    snprintf(path, sizeof path, "%s/tenk.db", folder);
    change_file(path, NOT_STRICT "update posts set created_at = '2026-01-01' where user_id = 1;"
                      "update users set created_at = x'00ff' where id = 2; update posts set title = 42 where user_id = 3;"
                      "update posts set created_at = '1500000000' where user_id = 3");
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", path);
    server_start("sqlite-faults", url, NULL);
    for (int i = 0; i < 8; i++)
        expect_problem(get(PAGES[i % 4]), 500);
    expect(get_as("/users/1", "text/html"), 500, "text/html");
    expect_problem(get("/users/2"), 500);
    ck_assert(server_says("posts_by_user: what came in row 1, column 4, is not a whole number"));
    ck_assert(server_says("user_by_id: what came in row 1, column 4, is not a whole number"));
    const answer a = get("/users/3");
    expect(a, 200, NULL);
    expect_body(a, "42");
    expect(get("/users/4"), 200, NULL);
    ck_assert_int_eq(post("/users/1/posts", "application/json", "{\"title\":\"t\",\"body\":\"b\"}").status, 201);
    server_stop();
}
END_TEST

START_TEST(a_post_that_the_file_ignores_for_another_reason_is_no_unknown_user)
{
    char path[256], stored[16];
    server_start("sqlite-faults", NULL);
    snprintf(path, sizeof path, "%s/tenk.db", here.folder);
    change_file(path, "create unique index once on posts (title) where title = 'once'");
    ck_assert_int_eq(post("/users/1/posts", "application/json", "{\"title\":\"once\",\"body\":\"b\"}").status, 201);
    expect_problem(post("/users/1/posts", "application/json", "{\"title\":\"once\",\"body\":\"b\"}"), 500);
    expect_problem(post("/users/4000000/posts", "application/json", "{\"title\":\"once\",\"body\":\"b\"}"), 404);
    ask_file(path, "select count(*) from posts where title = 'once'", stored, sizeof stored);
    ck_assert_str_eq(stored, "1");
    server_stop();
}
END_TEST

/* Where it is gone nothing may be acknowledged, for that would go with it. */
START_TEST(a_file_deleted_or_replaced_under_the_server_takes_no_more_posts)
{
    char path[256], other[256];
    server_start("sqlite-faults", NULL);
    snprintf(path, sizeof path, "%s/tenk.db%s", here.folder, _i == 2 ? "-wal" : "");
    snprintf(other, sizeof other, "%s/other", here.folder);
    expect(get("/users/42"), 200, NULL);     /* a thread that reads has it open */
    ck_assert_int_eq(post("/users/1/posts", "application/json", "{\"title\":\"t\",\"body\":\"b\"}").status, 201);
    if (_i == 1) {
        mkdir(other, 0755);
        run_copy_database(other);
        strcat(other, "/tenk.db");
    }
    ck_assert_int_eq(_i == 1 ? rename(other, path) : unlink(path), 0);
    for (int i = 0; i < 2; i++) {
        const answer a = post_as("/users/1/posts", "application/json", "{\"title\":\"t\",\"body\":\"b\"}",
                                 i ? "text/html" : "*/*");
        i ? expect(a, 503, "text/html") : expect_problem(a, 503);
        expect_body(a, "Nothing was stored");
        ck_assert_ptr_null(header(&a, "Retry-After"));
    }
    ck_assert(server_says("has been deleted, moved or replaced while it was in use"));
    expect(get("/users/42"), 200, NULL);
    server_stop();
}
END_TEST

START_TEST(a_file_locked_by_another_program_is_waited_for)
{
    sqlite3 *other;
    char path[256];
    server_start("sqlite-faults", "TENK_DATABASE_TIMEOUT=500ms", NULL);
    snprintf(path, sizeof path, "%s/tenk.db", here.folder);
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    const double before = granted_s();
    const answer a =
        post("/users/1/posts", "application/json", "{\"title\":\"locked\",\"body\":\"b\"}");
    ck_assert_msg(a.status == 503 || a.status == 504, "%d", a.status);
    ck_assert_double_lt(granted_s() - before, run_slowed() ? 12 : 6);
    expect(get("/users/42"), 200, "text/html");              /* readers wait for no writer */
    sqlite3_exec(other, "rollback", NULL, NULL, NULL);
    sqlite3_close(other);
    ck_assert(eventually(
        5, post("/users/1/posts", "application/json", "{\"title\":\"t\",\"body\":\"b\"}").status ==
               201));
    server_stop();
}
END_TEST

START_TEST(more_requests_than_the_line_holds_are_503_and_none_hangs)
{
    enum { MANY = 300 };
    client *c[MANY];
    int good = 0, unavailable = 0;
    server_start("sqlite-faults", "TENK_DATABASE_READERS=1", "TENK_DATABASE_LINE=2",
                 run_slowed() ? "TENK_DATABASE_LINE_TIMEOUT=10s" : "TENK_DATABASE_LINE_TIMEOUT=100ms", NULL);
    for (int i = 0; i < MANY; i++)
        c[i] = client_new();
    kill(here.pid, SIGSTOP);                 /* so that they all ask at once, however slow this machine is */
    for (int i = 0; i < MANY; i++)
        client_say(c[i], "GET /users?page=200 HTTP/1.1\r\nHost: t\r\n\r\n"
                         "GET /users/42/sequential HTTP/1.1\r\nHost: t\r\n\r\n");
    kill(here.pid, SIGCONT);
    for (int i = 0; i < MANY; i++) {
        for (int k = 0; k < 2; k++) {
            const answer a = client_answer(c[i]);
            good += a.status == 200;
            if (a.status == 503) {
                unavailable++;
                expect_unavailable(a);
            }
        }
        client_free(c[i]);
    }
    ck_assert_msg(good + unavailable == 2 * MANY, "%d good, %d unavailable", good, unavailable);
    ck_assert_int_gt(good, 0);
    ck_assert(unavailable > 0 || run_slowed());      /* a sanitizer slows the loop, and not SQLite, which empties the line */
    expect(get("/users/42"), 200, "text/html");
    server_stop();
}
END_TEST

Suite *sqlite_faults_suite(void)
{
    Suite *s = suite_create("sqlite-faults");
    TCase *t = theme(s, "sqlite-faults", NULL);
    tcase_add_test(t, what_was_acknowledged_survives_kill_9);
    tcase_add_test(t, what_was_acknowledged_is_there_after_sigterm);
    tcase_add_test(t, a_post_that_waits_for_the_lock_longer_than_its_request_may_is_504_and_not_stored);
    tcase_add_test(t, a_full_disk_stops_the_writing_and_nothing_else);
    tcase_add_test(t, a_disk_too_small_for_the_seed_is_said_and_leaves_nothing_half_made);
    tcase_add_test(t, a_database_that_cannot_be_written_is_said);
    tcase_add_test(t, a_file_that_is_no_database_is_said_and_left_alone);
    tcase_add_test(t, a_damaged_page_is_an_error_where_it_is_read_and_nowhere_else);
    tcase_add_test(t, a_stored_value_of_another_type_is_an_error_and_never_the_end);
    tcase_add_test(t, a_post_that_the_file_ignores_for_another_reason_is_no_unknown_user);
    tcase_add_loop_test(t, a_file_deleted_or_replaced_under_the_server_takes_no_more_posts, 0, 3);
    tcase_add_test(t, a_file_locked_by_another_program_is_waited_for);
    tcase_add_test(t, more_requests_than_the_line_holds_are_503_and_none_hangs);
    return s;
}
