/* test_config_file.c - what a config.ini may and may not say, and that ours is the table. */
#include "config_scratch.h"
#include "tests/unit/suites.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

START_TEST(a_bad_value_says_where_and_what_would_do)
{
    refuses("[limits]\n\nbody = 12x",
            "3: [limits] body: '12x' is not a size (try 512, 64KiB, 1MiB)");
    refuses("[limits]\nbody = 64KB",
            "2: [limits] body: '64KB' is not a size (try 512, 64KiB, 1MiB)");
    refuses("[limits]\nbody = 2GiB", "2: [limits] body: '2GiB' is out of range (0 to 1GiB)");
    refuses("[timeouts]\nidle = 30",
            "2: [timeouts] idle: '30' is not a duration (try 250ms, 30s, 5m, 1h)");
    refuses("[timeouts]\nidle = 0", "2: [timeouts] idle: '0' is out of range (1ms to 24h)");
    refuses("[limits]\nheaders = many", "2: [limits] headers: 'many' is not a whole number");
    refuses("[limits]\nheaders = auto", "2: [limits] headers: 'auto' is not a whole number");
    refuses("[limits]\nheaders = 99999999999999999999",
            "2: [limits] headers: '99999999999999999999' is out of range (1 to 256)");
    refuses("[server]\nworkers = all",
            "2: [server] workers: 'all' is not a whole number, nor auto");
    refuses("[server]\nworkers = 0", "2: [server] workers: '0' is out of range (1 to 1024)");
    refuses("[server]\nmode = threaded", "2: [server] mode: 'threaded' is not one of: async, threads");
    refuses("[log]\nlevel = loud",
            "2: [log] level: 'loud' is not one of: error, warning, info, debug");
    refuses("[database]\nprepare = 1", "2: [database] prepare: '1' is not on or off");
    refuses("[files]\nroot =", "2: [files] root: is empty; leave it out for the default");
    refuses("[server]\nlisten = localhost",
            "2: [server] listen: 'localhost' is not HOST:PORT, nor unix:PATH "
            "(try 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/tenk.sock)");
}
END_TEST

START_TEST(unknown_names_are_errors_with_the_nearest_one)
{
    refuses("[limit]\nbody = 12x", "1: there is no section [limit]; did you mean [limits]?");
    refuses("\xef\xbb\xbf[limit]", "1: there is no section [limit]; did you mean [limits]?");
    refuses("[frobnicate]", "1: there is no section [frobnicate]");
    refuses("[limits]\nboddy = 1", "2: [limits] has no key 'boddy'; did you mean 'body'?");
    refuses("[limits]\nstack = 64KiB", "2: [limits] has no key 'stack'; it belongs to [tasks]");
    refuses("[limits]\nfrobnicate = 1", "2: [limits] has no key 'frobnicate'");
    refuses("body = 1", "1: 'body' stands before any [section]");
}
END_TEST

START_TEST(a_key_stands_once)
{
    refuses("[limits]\nbody = 1\n[log]\n[limits]\nbody = 1",
            "5: [limits] body: is already set in line 2");
}
END_TEST

START_TEST(lines_out_of_order_are_refused)
{
    char longest[600] = "[database]\nurl = sqlite:";
    refuses("[limits]\nbody\n", "2: the line is neither [section] nor key = value");
    refuses("[limits\n", "1: the line is neither [section] nor key = value");
    refuses("[files]\nroot = \xff", "2: the line is not UTF-8 text, or has control characters");
    refuses("[files]\nroot = a\x1b[0m", "2: the line is not UTF-8 text, or has control characters");
    refuses_bytes("[files]\nroot = a\0b\n", 19, "2: the line has a NUL in it");
    memset(longest + strlen(longest), 'x', 400);
    refuses(longest, "2: the line is too long; a long URL may be in DATABASE_URL");
}
END_TEST

START_TEST(settings_must_fit_each_other)
{
    refuses("[limits]\nuri = 32KiB", "2: [limits] uri = 32KiB is more than [limits] head = 16KiB");
    refuses("[limits]\nhead = 4KiB", "2: [limits] uri = 8KiB is more than [limits] head = 4KiB");
    refuses("[threads]\npool = 2\nrunning = 3",
            "2: [threads] running = 3 is more than [threads] pool = 2");
    refuses("[tasks]\nstack = 8KiB", "2: [tasks] stack: '8KiB' is out of range (16KiB to 8MiB)");
    ck_assert_int_eq(load_text("[tasks]\nstack = 65537"), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(said,
                                 ":2: [tasks] stack: '65537' is no multiple of the machine's page ("));
}
END_TEST

START_TEST(a_named_file_must_exist_and_the_usual_one_need_not)
{
    char expected[128];
    unlink(file);
    ck_assert_int_eq(load(&(config_sources){ .file = file }), UV_EINVAL);
    snprintf(expected, sizeof expected, "%s: No such file or directory\n", file);
    ck_assert_str_eq(said, expected);
    ck_assert_int_eq(load(&(config_sources){ .file = folder }), UV_EINVAL);
    snprintf(expected, sizeof expected, "%s: Is a directory\n", folder);
    ck_assert_str_eq(said, expected);

    char before[4096];
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(load(&(config_sources){ 0 }), 0);
    config_free(&c);
    FILE *f = fopen("config.ini", "w");
    fputs("[log]\nlevel = debug", f);
    fclose(f);
    const int err = load(&(config_sources){ 0 });
    unlink("config.ini");
    ck_assert_int_eq(symlink("config.ini", "config.ini"), 0);
    config unreadable;
    FILE *nowhere = fopen("/dev/null", "w");
    ck_assert_int_eq(config_load(&unreadable, &(config_sources){ 0 }, nowhere), UV_EINVAL);
    fclose(nowhere);
    unlink("config.ini");
    ck_assert_int_eq(chdir(before), 0);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(c.log.level, 3);
    prints("level = debug ; config.ini:2\n");
    config_free(&c);
}
END_TEST

START_TEST(a_file_may_come_from_any_editor)
{
    char long_comment[1000] = "[files]\n; ";
    ck_assert_int_eq(load_text("\xef\xbb\xbf[limits]\r\n  headers = 5  ; few\r\n\tbody=2KiB\r\n# note\r\n\r\n"
                               "[files]\r\nroot = my \"files\" ü;v2\r\n[server]\r\nlisten: [::1]:80\r\n"), 0);
    ck_assert_int_eq(c.limits.headers, 5);
    ck_assert_uint_eq(c.limits.body, 2048);
    ck_assert_str_eq(c.files.root, "my \"files\" ü;v2");
    ck_assert_str_eq(c.server.listen, "[::1]:80");
    config_free(&c);
    memset(long_comment + strlen(long_comment), 'x', 900);
    ck_assert_int_eq(load_text(long_comment), 0);            /* only what counts is too long */
    config_free(&c);
    ck_assert_int_eq(load_text(""), 0);
    config_free(&c);
}
END_TEST

/* What config.ini must be, below its introduction. */
static char *file_of_table(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < SETTING_SECTION_COUNT; i++) {
        fprintf(out, "\n# %s\n[%s]\n", SETTING_SECTIONS[i].about, SETTING_SECTIONS[i].name);
        for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
            if (strcmp(s->section, SETTING_SECTIONS[i].name) == 0)
                fprintf(out, "\n# %s\n;%s = %s\n", s->why, s->key, s->initial);
    }
    fclose(out);
    return text;
}

static void same_lines(const char *is, const char *should)
{
    while (*is || *should) {
        const int a = (int)strcspn(is, "\n"), b = (int)strcspn(should, "\n");
        ck_assert_msg(a == b && memcmp(is, should, (size_t)a) == 0,
                      "config.ini has the line '%.*s' where the table has '%.*s'", a, is, b,
                      should);
        is += a + (is[a] == '\n');
        should += b + (should[b] == '\n');
    }
}

START_TEST(config_ini_is_the_table)
{
    char *expected = file_of_table(), actual[32768];
    FILE *f = fopen("config.ini", "r");
    ck_assert_ptr_nonnull(f);
    actual[fread(actual, 1, sizeof actual - 1, f)] = '\0';
    fclose(f);
    const char *settings = strstr(actual, "\n\n# ");
    ck_assert_ptr_nonnull(settings);
    same_lines(settings + 1, expected);
    free(expected);

    ck_assert_int_eq(load(&(config_sources){ .file = "config.ini" }), 0);            /* as it is */
    char *with = printed();
    config_free(&c);
    ck_assert_int_eq(load_text(""), 0);
    char *without = printed();
    config_free(&c);
    ck_assert_str_eq(with, without);
    free(with);
    free(without);
}
END_TEST

START_TEST(config_ini_with_every_line_in_use_changes_nothing_but_the_sources)
{
    char *text = file_of_table(), *to = text;
    for (const char *from = text; *from; from++)
        if (*from != ';' || from == text || from[-1] != '\n')
            *to++ = *from;
    *to = '\0';
    ck_assert_int_eq(load_text(text), 0);
    free(text);
    char *all = printed();
    ck_assert_ptr_null(strstr(all, "; default"));
    ck_assert_ptr_null(strstr(all, ") default"));
    free(all);
    config_free(&c);
}
END_TEST

Suite *config_file_suite(void)
{
    Suite *s = suite_create("config_file");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_add_test(t, a_bad_value_says_where_and_what_would_do);
    tcase_add_test(t, unknown_names_are_errors_with_the_nearest_one);
    tcase_add_test(t, a_key_stands_once);
    tcase_add_test(t, lines_out_of_order_are_refused);
    tcase_add_test(t, settings_must_fit_each_other);
    tcase_add_test(t, a_named_file_must_exist_and_the_usual_one_need_not);
    tcase_add_test(t, a_file_may_come_from_any_editor);
    tcase_add_test(t, config_ini_is_the_table);
    tcase_add_test(t, config_ini_with_every_line_in_use_changes_nothing_but_the_sources);
    suite_add_tcase(s, t);
    return s;
}
