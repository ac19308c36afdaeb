/* test_config_reload.c - another configuration for a server that runs: what changes, what stays, what is refused. */
#include "server/config/config_reload.h"

#include "tests/unit/suites.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char changes[1024];

static void on_change(void *arg, const setting *s, const char *before, const char *now)
{
    const size_t length = strlen(changes);
    (void)arg;
    snprintf(changes + length, sizeof changes - length, "%s.%s %s>%s%s\n", s->section, s->key, before, now, s->live ? "" : "!");
}

static config load(char *a, char *b)
{
    config c;
    char *environment[] = { a, b, NULL };
    ck_assert_int_eq(config_load(&c, &(config_sources){ .environment = environment }, stderr), 0);
    return c;
}

static int reload(config *c, const config *old, char *a, char *b)
{
    char *environment[] = { a, b, NULL }, *said;
    size_t size;
    FILE *errors = open_memstream(&said, &size);
    changes[0] = '\0';
    const int err = config_reload(c, old, &(config_sources){ .environment = environment }, errors, on_change, NULL);
    fclose(errors);
    free(said);
    return err;
}

START_TEST(what_is_live_changes_and_what_is_not_stays_and_both_are_told)
{
    config c, old = load("TENK_LIMITS_BODY=4KiB", "TENK_TASKS_STACK=64KiB");
    ck_assert_int_eq(reload(&c, &old, "TENK_LIMITS_BODY=8KiB", "TENK_TASKS_STACK=128KiB"), 0);
    ck_assert_uint_eq(c.limits.body, 8192);
    ck_assert_uint_eq(c.tasks.stack, 65536);
    ck_assert_uint_eq(old.limits.body, 4096);
    ck_assert_str_eq(changes, "limits.body 4KiB>8KiB\ntasks.stack 64KiB>128KiB!\n");
    config_free(&c);
    config_free(&old);
}
END_TEST

START_TEST(what_is_as_it_was_is_not_told)
{
    config c, old = load("TENK_LIMITS_BODY=4KiB", NULL);
    ck_assert_int_eq(reload(&c, &old, "TENK_LIMITS_BODY=4KiB", NULL), 0);
    ck_assert_str_eq(changes, "");
    config_free(&c);
    config_free(&old);
}
END_TEST

START_TEST(what_is_wrong_is_refused_and_changes_nothing)
{
    config c = { .limits.body = 7 }, old = load("TENK_LIMITS_BODY=4KiB", NULL);
    ck_assert_int_eq(reload(&c, &old, "TENK_LIMITS_BODY=8KiB", "TENK_LIMITS_HEAD=much"), UV_EINVAL);
    ck_assert_uint_eq(c.limits.body, 7);
    ck_assert_str_eq(changes, "");
    config_free(&old);
}
END_TEST

START_TEST(a_text_that_stays_is_that_of_the_old_one)
{
    config c, old = load("DATABASE_URL=sqlite:one.db", NULL);
    ck_assert_int_eq(reload(&c, &old, "DATABASE_URL=postgresql://me:secret@host/two", NULL), 0);
    ck_assert_str_eq(c.database.url, "sqlite:one.db");
    ck_assert_ptr_nonnull(strstr(changes, "database.url sqlite:one.db>postgresql://me"));
    ck_assert_ptr_null(strstr(changes, "secret"));
    config_free(&c);
    config_free(&old);
}
END_TEST

START_TEST(what_follows_from_what_stays_stays_with_it)
{
    config c, old = load("TENK_SERVER_WORKERS=1", NULL);
    ck_assert_int_eq(reload(&c, &old, "TENK_SERVER_WORKERS=64", NULL), 0);
    ck_assert_int_eq(c.server.workers, 1);
    ck_assert_int_eq(c.limits.connections, old.limits.connections);
    config_free(&c);
    config_free(&old);
}
END_TEST

START_TEST(a_password_is_masked_in_what_was_and_in_what_would_be)
{
    config c, old = load("DATABASE_URL=postgresql://me:secret@host/one", NULL);
    ck_assert_int_eq(reload(&c, &old, "DATABASE_URL=postgresql://me:another@host/two", NULL), 0);
    ck_assert_ptr_nonnull(strstr(changes, "@host/one>postgresql://me:"));
    ck_assert_ptr_null(strstr(changes, "secret"));
    ck_assert_ptr_null(strstr(changes, "another"));
    config_free(&c);
    config_free(&old);
}
END_TEST

Suite *config_reload_suite(void)
{
    Suite *s = suite_create("config_reload");
    TCase *t = tcase_create("config_reload");
    suite_add_tcase(s, t);
    tcase_add_test(t, what_is_live_changes_and_what_is_not_stays_and_both_are_told);
    tcase_add_test(t, what_is_as_it_was_is_not_told);
    tcase_add_test(t, what_is_wrong_is_refused_and_changes_nothing);
    tcase_add_test(t, a_text_that_stays_is_that_of_the_old_one);
    tcase_add_test(t, what_follows_from_what_stays_stays_with_it);
    tcase_add_test(t, a_password_is_masked_in_what_was_and_in_what_would_be);
    return s;
}
