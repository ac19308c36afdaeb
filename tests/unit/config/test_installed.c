/* test_installed.c - which folder a program finds beside itself, and which it does not. */
#include "tests/unit/suites.h"

#include "server/config/installed.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

static char prefix[] = "/tmp/tenk-installed-XXXXXX", found[PATH_MAX];

static const char *in(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", prefix, name);
    return path;
}

static void install(void)
{
    strcpy(prefix + strlen(prefix) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(prefix));
    mkdir(in("share"), 0755);
    mkdir(in("share/tenk"), 0755);
    mkdir(in("share/tenk/static"), 0755);
}

static void uninstall(void)
{
    rmdir(in("share/tenk/static"));
    unlink(in("share/tenk/static"));
    rmdir(in("share/tenk"));
    rmdir(in("share"));
    rmdir(prefix);
}

START_TEST(an_installed_program_finds_its_files_beside_its_folder)
{
    ck_assert_int_eq(installed_beside(in("bin/tenk"), found, sizeof found), 0);
    ck_assert_str_eq(found, in("share/tenk/static"));
}
END_TEST

START_TEST(what_is_not_there_or_no_folder_is_not_found)
{
    strcpy(found, "as before");
    ck_assert_int_eq(installed_beside(in("elsewhere/bin/tenk"), found, sizeof found), UV_ENOENT);
    ck_assert_int_eq(installed_beside("tenk", found, sizeof found), UV_ENOENT);
    ck_assert_int_eq(installed_beside("", found, sizeof found), UV_ENOENT);
    rmdir(in("share/tenk/static"));
    fclose(fopen(in("share/tenk/static"), "w"));
    ck_assert_int_eq(installed_beside(in("bin/tenk"), found, sizeof found), UV_ENOENT);
    ck_assert_str_eq(found, "as before");
}
END_TEST

START_TEST(a_path_that_does_not_fit_is_not_cut)
{
    const size_t length = strlen(in("share/tenk/static"));
    strcpy(found, "as before");
    ck_assert_int_eq(installed_beside(in("bin/tenk"), found, length), UV_ENOENT);
    ck_assert_str_eq(found, "as before");
    ck_assert_int_eq(installed_beside(in("bin/tenk"), found, length + 1), 0);

    char *long_path = malloc(2 * PATH_MAX);
    memset(long_path, 'x', 2 * PATH_MAX - 1);
    long_path[2 * PATH_MAX - 1] = '\0';
    memcpy(long_path, "/", 1);
    memcpy(long_path + 2 * PATH_MAX - 10, "/bin/tenk", 9);
    ck_assert_int_eq(installed_beside(long_path, found, sizeof found), UV_ENOENT);
    free(long_path);
}
END_TEST

START_TEST(a_program_where_it_was_built_finds_its_files_beside_that_folder)
{
    mkdir(in("static"), 0755);
    rmdir(in("share/tenk/static"));
    static const char *const BUILT[] = { "build/tenk", "build/asan-clang/tenk", "build/build/tenk" };
    static const char *const NOT[] = { "tenk", "bin/tenk", "rebuild/tenk", "builds/tenk", "build" };
    strcpy(found, "as before");
    for (size_t i = 0; i < sizeof NOT / sizeof *NOT; i++)
        ck_assert_msg(installed_beside(in(NOT[i]), found, sizeof found) == UV_ENOENT, "%s", NOT[i]);
    ck_assert_str_eq(found, "as before");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(installed_beside(in(BUILT[i]), found, sizeof found), 0);
        ck_assert_str_eq(found, in("static"));
    }
    ck_assert_int_eq(installed_beside(in(BUILT[2]), found, sizeof found), UV_ENOENT);        /* the last one counts */
    mkdir(in("share/tenk/static"), 0755);
    ck_assert_int_eq(installed_beside(in("build/tenk"), found, sizeof found), 0);
    ck_assert_str_eq(found, in("share/tenk/static"));        /* an installation comes first */
    rmdir(in("static"));
}
END_TEST

START_TEST(this_program_is_where_it_was_built)
{
    ck_assert_int_eq(installed_static(found, sizeof found), 0);
    strcat(found, "/style.css");
    ck_assert_int_eq(access(found, R_OK), 0);
}
END_TEST

Suite *installed_suite(void)
{
    Suite *s = suite_create("installed");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, install, uninstall);
    tcase_add_test(t, an_installed_program_finds_its_files_beside_its_folder);
    tcase_add_test(t, what_is_not_there_or_no_folder_is_not_found);
    tcase_add_test(t, a_path_that_does_not_fit_is_not_cut);
    tcase_add_test(t, a_program_where_it_was_built_finds_its_files_beside_that_folder);
    tcase_add_test(t, this_program_is_where_it_was_built);
    suite_add_tcase(s, t);
    return s;
}
