/* command_line.c - the command line: what it prints, and what it ends with. */
#include "scenarios.h"

#include "tests/scenarios/support/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char out[65536];

#define run(...) tenk_run(out, sizeof out, __VA_ARGS__, NULL)
#define printed(part) ck_assert_msg(strstr(out, part) != NULL, "no \"%s\" in: %s", part, out)

static const char *write_config(const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/test.ini", run_folder());
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    return path;
}

START_TEST(help_names_every_flag)
{
    ck_assert_int_eq(run("--help"), 0);
    static const char *const flags[] = {
        "-c", "--config", "-l", "--listen", "-D", "--database", "-m", "--mode", "-w", "--workers",
        "-t", "--test-config", "--print-config", "--healthcheck", "--init-db", "-V", "--version",
        "-h", "--help",
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        printed(flags[i]);
    ck_assert_int_eq(run("-h"), 0);
    printed("--config");
}
END_TEST

START_TEST(version_names_the_libraries)
{
    ck_assert_int_eq(run("--version"), 0);
    printed("tenk ");
    static const char *const libraries[] = { "libuv", "llhttp", "SQLite", "libpq" };
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        ck_assert_msg(strcasestr(out, libraries[i]) != NULL, "no %s in: %s", libraries[i], out);
    ck_assert_int_eq(run("-V"), 0);
}
END_TEST

START_TEST(wrong_usage_ends_with_2_and_says_what_is_wrong)
{
    ck_assert_int_eq(run("--nonsense"), 2);
    printed("nonsense");
    ck_assert_int_eq(run("-x"), 2);
    ck_assert_int_eq(run("operand"), 2);
    printed("operand");
    ck_assert_int_eq(run("--listen"), 2);
    ck_assert_int_eq(run("-w"), 2);
}
END_TEST

START_TEST(a_bad_setting_ends_with_78_and_names_file_and_line)
{
    static const struct { const char *text, *where, *what; } cases[] = {
        { "[server]\nlisten = 127.0.0.1:99999\n", "test.ini:2", "99999" },
        { "\n[server]\n\nworkers = many\n", "test.ini:4", "many" },
        { "[nonsense]\nkey = 1\n", "test.ini:", "nonsense" },
        { "[server]\nnonsense = 1\n", "test.ini:2", "nonsense" },
        { "[timeouts]\nhead = 10 parsecs\n", "test.ini:2", "parsecs" },
        { "[limits]\nbody = -1\n", "test.ini:2", "-1" },
        { "[limits]\nbody = 99999999999999999999\n", "test.ini:2", "99999999999999999999" },
        { "[server]\nlisten 127.0.0.1:8080\n", "test.ini:2", "" },
        { "[server\nlisten = 127.0.0.1:8080\n", "test.ini:1", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = write_config(cases[i].text);
        ck_assert_msg(run("-t", "-c", path) == 78, "%s: %s", cases[i].text, out);
        printed(cases[i].where);
        printed(cases[i].what);
        ck_assert_msg(run("-c", path) == 78, "%s: %s", cases[i].text, out);
    }
}
END_TEST

START_TEST(a_bad_flag_value_or_environment_ends_with_78)
{
    ck_assert_int_eq(run("-t", "--workers", "many"), 78);
    printed("many");
    ck_assert_int_eq(run("-t", "TENK_LIMITS_BODY=huge"), 78);
    printed("TENK_LIMITS_BODY");
    ck_assert_int_eq(run("-t", "PORT=eighty"), 78);
    printed("PORT");
    ck_assert_int_eq(run("-t", "--mode", "nonsense"), 78);
    printed("nonsense");
}
END_TEST

START_TEST(a_config_that_was_named_must_be_there)
{
    ck_assert_int_eq(run("-t", "-c", "/nowhere/config.ini"), 78);
    printed("/nowhere/config.ini");
}
END_TEST

START_TEST(a_good_config_is_called_good)
{
    ck_assert_int_eq(run("-t"), 0);
    ck_assert_int_eq(run("--test-config", "-c",
                         write_config("[server]\nlisten = 127.0.0.1:0\n[limits]\nbody = 1MiB\n")),
                     0);
}
END_TEST

/* The line of print-config that begins with that key must name the value and the source. */
static void has_line(const char *key, const char *value, const char *source)
{
    for (const char *line = out; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char one[512];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        if (strncmp(one, key, strlen(key)) == 0 && strstr(one, value) && strcasestr(one, source))
            return;
    }
    ck_abort_msg("no line for %s with %s from %s in: %s", key, value, source, out);
}

START_TEST(print_config_says_every_value_and_where_it_came_from)
{
    const char *path = write_config("[limits]\nbody = 2MiB\nheaders = 50\npipeline = 3\n");
    ck_assert_int_eq(run("--print-config", "-c", path, "-w", "3", "TENK_LIMITS_HEADERS=60",
                         "TENK_SERVER_WORKERS=7", "PORT=1234"),
                     0);
    has_line("workers", "3", "--workers");
    has_line("headers", "60", "TENK_LIMITS_HEADERS");
    has_line("pipeline", "3", "test.ini");
    has_line("body", "2MiB", "test.ini");
    has_line("idle", "75s", "default");
    has_line("listen", "1234", "PORT");
}
END_TEST

START_TEST(print_config_masks_secrets)
{
    ck_assert_int_eq(
        run("--print-config", "-D", "postgresql://someone:s3cr3t@example.com/name?password=s3cr3t"),
        0);
    ck_assert_msg(!strstr(out, "s3cr3t"), "%s", out);
    printed("someone");
    printed("example.com");
}
END_TEST

START_TEST(a_flag_beats_the_environment_which_beats_the_file)
{
    char flag[64];
    const char *path = write_config("[server]\nlisten = 127.0.0.1:1\n");
    snprintf(flag, sizeof flag, "%s", "127.0.0.1:3");
    ck_assert_int_eq(run("--print-config", "-c", path), 0);
    has_line("listen", "127.0.0.1:1", "test.ini");
    ck_assert_int_eq(run("--print-config", "-c", path, "PORT=2"), 0);
    has_line("listen", ":2", "PORT");
    ck_assert_int_eq(run("--print-config", "-c", path, "PORT=2", "-l", flag), 0);
    has_line("listen", flag, "--listen");
}
END_TEST

START_TEST(a_taken_port_ends_with_1_and_is_named)
{
    char port[32], address[64], url[300];
    server_start("command", NULL);
    snprintf(port, sizeof port, "%d", here.port);
    snprintf(address, sizeof address, "127.0.0.1:%d", here.port);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    ck_assert_int_eq(run("-l", address, url), 1);
    printed(port);
    expect(get("/healthz"), 200, NULL);      /* nothing was taken away from the first */
    server_stop();
}
END_TEST

START_TEST(healthcheck_is_0_while_it_serves_and_1_when_not)
{
    char address[64];
    server_start("command", NULL);
    snprintf(address, sizeof address, "127.0.0.1:%d", here.port);
    ck_assert_msg(run("--healthcheck", "-l", address) == 0, "%s", out);
    server_stop();
    ck_assert_int_eq(run("--healthcheck", "-l", address), 1);
    printed(strchr(address, ':') + 1);
}
END_TEST

START_TEST(healthcheck_needs_no_database)
{
    char address[64];
    server_start("command", "DATABASE_URL=postgresql://tenk@127.0.0.1:1/tenk", NULL);
    snprintf(address, sizeof address, "127.0.0.1:%d", here.port);
    ck_assert_msg(run("--healthcheck", "-l", address) == 0, "%s", out);
    server_stop();
}
END_TEST

START_TEST(a_bad_database_url_is_said_at_once)
{
    ck_assert_int_eq(run("-t", "-D", "mysql://nonsense"), 78);
    printed("[database] url");
    ck_assert_int_eq(run("-D", "mysql://nonsense", "PORT=0"), 78);
    printed("[database] url");
    ck_assert_int_eq(run("-t", "TENK_PATTERNS_REPLICA=mysql://nonsense"), 78);
    printed("[patterns] replica");
}
END_TEST

START_TEST(an_empty_folder_becomes_a_seeded_site)
{
    char folder[256], url[300];
    snprintf(folder, sizeof folder, "%s/fresh", run_folder());
    mkdir(folder, 0755);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/new.db", folder);
    server_start("command", url, NULL);
    expect(get("/users/42"), 200, "text/html");
    expect(get("/users/10000"), 200, "text/html");
    expect_problem(get("/users/10001"), 404);
    server_stop();
    server_start("command", url, NULL);      /* and stays as it is */
    expect_problem(get("/users/10001"), 404);
    server_stop();
}
END_TEST

START_TEST(init_db_may_be_said_twice)
{
    char url[300];
    snprintf(url, sizeof url, "DATABASE_URL=%s", postgres_url());
    ck_assert_msg(run(url, "--init-db") == 0, "%s", out);
    server_start_on_postgres("command", NULL);
    until_200("/users/10000");               /* it serves before it is connected */
    expect_problem(get("/users/10001"), 404);
    server_stop();
}
END_TEST

static void with_cluster(void) { postgres_url(); }
static void without(void) {}

Suite *command_line_suite(void)
{
    Suite *s = suite_create("command_line");
    TCase *t = theme(s, "command", NULL);
    tcase_add_unchecked_fixture(t, with_cluster, without);
    tcase_add_test(t, help_names_every_flag);
    tcase_add_test(t, version_names_the_libraries);
    tcase_add_test(t, wrong_usage_ends_with_2_and_says_what_is_wrong);
    tcase_add_test(t, a_bad_setting_ends_with_78_and_names_file_and_line);
    tcase_add_test(t, a_bad_flag_value_or_environment_ends_with_78);
    tcase_add_test(t, a_config_that_was_named_must_be_there);
    tcase_add_test(t, a_good_config_is_called_good);
    tcase_add_test(t, print_config_says_every_value_and_where_it_came_from);
    tcase_add_test(t, print_config_masks_secrets);
    tcase_add_test(t, a_flag_beats_the_environment_which_beats_the_file);
    tcase_add_test(t, a_taken_port_ends_with_1_and_is_named);
    tcase_add_test(t, healthcheck_is_0_while_it_serves_and_1_when_not);
    tcase_add_test(t, healthcheck_needs_no_database);
    tcase_add_test(t, a_bad_database_url_is_said_at_once);
    tcase_add_test(t, an_empty_folder_becomes_a_seeded_site);
    tcase_add_test(t, init_db_may_be_said_twice);
    return s;
}
