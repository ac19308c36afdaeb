/* test_options.c - the command line: what it sets, what it refuses, and its help. */
#include "server/config/options.h"
#include "server/config/version.h"

#include "tests/unit/suites.h"

#include <curl/curl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static options o;
static char   *said;                         /* what options_parse wrote */

static int parse_words(int count, char *words[])
{
    size_t size;
    FILE *errors = open_memstream(&said, &size);
    const int err = options_parse(&o, count, words, errors);
    fclose(errors);
    return err;
}

#define PARSE(...) \
    parse_words((int)(sizeof (char *[]){ "tenk", __VA_ARGS__ } / sizeof(char *)), \
                (char *[]){ "tenk", __VA_ARGS__, NULL })

#define REFUSED(words, ...) do { \
        ck_assert_int_eq(PARSE(__VA_ARGS__), UV_EINVAL); \
        ck_assert_str_eq(said, "tenk: " words "\nTry 'tenk --help'.\n"); \
        free(said); \
    } while (0)

static void has(int i, const char *name, const char *section, const char *key, const char *value)
{
    const config_flag *f = &o.sources.flags[i];
    ck_assert_str_eq(f->name, name);
    ck_assert_str_eq(f->section, section);
    ck_assert_str_eq(f->key, key);
    ck_assert_str_eq(f->value, value);
}

START_TEST(no_flag_at_all_serves)
{
    ck_assert_int_eq(parse_words(1, (char *[]){ "tenk", NULL }), 0);
    ck_assert_int_eq(o.action, ACTION_SERVE);
    ck_assert_int_eq(o.sources.flag_count, 0);
    ck_assert_ptr_null(o.sources.file);
    ck_assert_str_eq(said, "");
    free(said);
}
END_TEST

START_TEST(flags_set_settings_long_or_short)
{
    ck_assert_int_eq(PARSE("-c", "x.ini", "-l:80", "-D", "sqlite:x", "-m", "async", "-w", "2"), 0);
    ck_assert_str_eq(o.sources.file, "x.ini");
    ck_assert_int_eq(o.sources.flag_count, 4);
    has(0, "--listen", "server", "listen", ":80");
    has(1, "--database", "database", "url", "sqlite:x");
    has(2, "--mode", "server", "mode", "async");
    has(3, "--workers", "server", "workers", "2");
    free(said);
    ck_assert_int_eq(PARSE("--config", "y.ini", "--listen=:81", "--workers", "auto"), 0);
    ck_assert_str_eq(o.sources.file, "y.ini");
    ck_assert_int_eq(o.sources.flag_count, 2);
    has(0, "--listen", "server", "listen", ":81");
    has(1, "--workers", "server", "workers", "auto");
    free(said);
    ck_assert_int_eq(PARSE("--compare", "--mode=threads"), 0);
    has(0, "--compare", "server", "compare", "127.0.0.1:0");
    free(said);
    ck_assert_int_eq(PARSE("--compare=:81"), 0);
    has(0, "--compare", "server", "compare", ":81");
    free(said);
}
END_TEST

START_TEST(the_later_of_two_wins)
{
    ck_assert_int_eq(PARSE("-l", ":1", "-l", ":2", "-l", ":3", "-l", ":4", "-l", ":5", "-l", ":6",
                           "-l", ":7",
                           "-l", ":8", "-l", ":9"), 0);
    ck_assert_int_eq(o.sources.flag_count, 1);
    has(0, "--listen", "server", "listen", ":9");
    free(said);
}
END_TEST

START_TEST(each_action_has_its_flag)
{
    static const struct { char *word; action action; } ALL[] = {
        { "-t", ACTION_TEST_CONFIG }, { "--test-config", ACTION_TEST_CONFIG },
        { "--print-config", ACTION_PRINT_CONFIG },
        { "--healthcheck", ACTION_HEALTHCHECK }, { "--init-db", ACTION_INIT_DB },
        { "-V", ACTION_VERSION },
        { "--version", ACTION_VERSION }, { "-h", ACTION_HELP }, { "--help", ACTION_HELP },
    };
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        ck_assert_int_eq(PARSE(ALL[i].word), 0);
        ck_assert_int_eq(o.action, ALL[i].action);
        free(said);
    }
}
END_TEST

START_TEST(help_is_given_whatever_comes_after_it)
{
    ck_assert_int_eq(PARSE("-t", "--help", "--nonsense"), 0);
    ck_assert_int_eq(o.action, ACTION_HELP);
    free(said);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    o.action = ACTION_INIT_DB;
    REFUSED("there is no option '--lisen'; did you mean '--listen'?", "--lisen", ":80");
    REFUSED("there is no option '--lisen'; did you mean '--listen'?", "--lisen=:80");
    REFUSED("there is no option '--frobnicate'", "--frobnicate");
    REFUSED("there is no option '-x'", "-x");
    REFUSED("there is no option '-x'", "-txt");
    REFUSED("'--listen' needs an argument: ADDRESS", "--listen");
    REFUSED("'--listen' needs an argument: ADDRESS", "-l");
    REFUSED("'--version' takes no argument", "--version=3");
    REFUSED("'--he' may be more than one option", "--he");
    REFUSED("'serve' is not an option", "serve");
    REFUSED("'-t' is not an option", "--", "-t");
    REFUSED("'postgresql://u:***@h/db' is not an option", "postgresql://u:secret@h/db");
    REFUSED("'***@h/db' is not an option", "mysql://u:secret@h/db");
    REFUSED("'--test-config' and '--init-db' do not go together", "-t", "--init-db");
    ck_assert_int_eq(o.action, ACTION_INIT_DB);              /* nothing is written on an error */
}
END_TEST

START_TEST(help_fits_80_columns_and_names_every_flag)
{
    static const char *const NAMES[] = {
        "-c, --config FILE", "-l, --listen ADDRESS", "-D, --database URL", "-m, --mode",
        "-w, --workers N",
        "-t, --test-config", "--print-config", "--healthcheck", "--init-db", "-V, --version",
        "-h, --help",
        "PORT, HOST", "DATABASE_URL", "WEB_CONCURRENCY", "TENK_SECTION_KEY", "  78 ",
    };
    char *help;
    size_t size;
    FILE *out = open_memstream(&help, &size);
    options_help(out);
    fclose(out);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        ck_assert_msg(strstr(help, NAMES[i]) != NULL, "%s", NAMES[i]);
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "%.90s", line);
    free(help);
}
END_TEST

START_TEST(the_version_names_the_libraries_that_run)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    version_print(out);
    fclose(out);
    ck_assert_int_eq(strncmp(text, "tenk " TENK_VERSION "\n", 6 + strlen(TENK_VERSION)), 0);
    ck_assert_ptr_nonnull(strstr(text, uv_version_string()));
    ck_assert_ptr_nonnull(strstr(text, sqlite3_libversion()));
    ck_assert_ptr_nonnull(strstr(text, jansson_version_str()));
    ck_assert_ptr_nonnull(strstr(text, curl_version_info(CURLVERSION_NOW)->version));
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(strstr(text, (const char *[]){ "libpq", "llhttp", "md4c",
                                                             "inih" }[i]));
    free(text);
}
END_TEST

Suite *options_suite(void)
{
    Suite *s = suite_create("options");
    TCase *t = tcase_create("all");
    tcase_add_test(t, no_flag_at_all_serves);
    tcase_add_test(t, flags_set_settings_long_or_short);
    tcase_add_test(t, the_later_of_two_wins);
    tcase_add_test(t, each_action_has_its_flag);
    tcase_add_test(t, help_is_given_whatever_comes_after_it);
    tcase_add_test(t, what_is_wrong_is_named);
    tcase_add_test(t, help_fits_80_columns_and_names_every_flag);
    tcase_add_test(t, the_version_names_the_libraries_that_run);
    suite_add_tcase(s, t);
    return s;
}
