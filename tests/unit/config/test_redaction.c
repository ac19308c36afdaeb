/* test_redaction.c - no password is ever shown, whatever the shape of the URL. */
#include "server/base/memory.h"
#include "server/config/redaction.h"

#include "tests/unit/suites.h"

#include <string.h>

START_TEST(passwords_are_masked_and_the_rest_stays)
{
    static const char *const SHAPES[][2] = {
        { "postgresql://user:secret@host/db", "postgresql://user:***@host/db" },
        { "postgres://user:secret@host:5432/db?sslmode=require",
          "postgres://user:***@host:5432/db?sslmode=require" },
        { "postgresql://user:p%40ss%3Aw@[::1]:5432/db", "postgresql://user:***@[::1]:5432/db" },
        { "postgresql://user:a:b@host", "postgresql://user:***@host" },
        { "postgresql://user:secret?x@host/db", "***@host/db" },
        { "postgresql://user:se@cret@host/db", "***@host/db" },
        { "postgresql://user:se/cr@et@host/db", "***@host/db" },
        { "postgresql://:secret@host", "postgresql://:***@host" },
        { "postgresql://user:@host", "postgresql://user:***@host" },
        { "postgresql://user:secret@a:1,b:2/db?target_session_attrs=any",
          "postgresql://user:***@a:1,b:2/db?target_session_attrs=any" },
        { "postgresql://h/db?password=secret", "postgresql://h/db?password=***" },
        { "postgresql://h/db?user=u@v&password=se@cret&connect_timeout=3",
          "postgresql://h/db?user=u@v&password=***&connect_timeout=3" },
        { "postgresql://u:one@h/db?sslpassword=two&password=three#x",
          "postgresql://u:***@h/db?sslpassword=***&password=***" },
        { "postgresql://h/db?p%61ssword=secret", "postgresql://h/db?p%61ssword=***" },
        { "postgresql://h/db?PASSWORD=secret", "postgresql://h/db?PASSWORD=***" },
        { "postgresql:///db?host=/run/x&password=a=b",
          "postgresql:///db?host=/run/x&password=***" },
        { "mysql://u:secret@h/db", "***@h/db" },
        { "host=h password=secret dbname=d", "host=h password=*** dbname=d" },
        { "host=h password = 'a secret' dbname=d", "host=h password = *** dbname=d" },
        { "password='se\\'cr et' host=h", "password=*** host=h" },
        { "password=se\\ cret host=h", "password=*** host=h" },
        { "password='never closed host=h", "password=***" },
        { "password=a://b:c@d host=h", "password=*** host=h" },
        { "sslpassword=secret\tsslkey=k", "sslpassword=***\tsslkey=k" },
        { "application_name='password=x' password=secret",
          "application_name='password=x' password=***" },
        { "password=", "password=***" },
    };
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        char *masked = redaction_mask(SHAPES[i][0]);
        ck_assert_str_eq(masked, SHAPES[i][1]);
        mem_free(masked);
    }
}
END_TEST

/* In each "secret" is the password, or a part of it. */
static const char *const MALFORMED[] = {
    "\"postgresql://user:secret@host/db\"", "'postgresql://user:secret@host/db'", "`postgresql://user:secret@host/db`",
    "\"postgresql://user:secret@host/db", "postgresql://user:secret@host/db\"", "mysql://user:secret@host/db",
    "POSTGRESQL://user:secret@host/db", "postgresql:user:secret@host/db", "postgresql:/user:secret@host/db",
    "postgresql//user:secret@host/db", "postgresql ://user:secret@host/db", " postgresql://user:secret@host/db",
    "\tpostgresql://user:secret@host/db", "postgresql://user:secret@host/db ", "postgresql://user:secret@host/db\n",
    "postgresql://user:my secret@host/db", "postgresql://user:secret%@host/db", "postgresql://user:secret%4@host/db",
    "postgresql://user:secret%zz@host/db", "postgresql://user:secret%00@host/db", "postgresql://user:a@secret@host/db",
    "postgresql://user:secret/a@host/db", "postgresql://user:secret/a@b@host/db", "postgresql://a/user:secret@host/db",
    "postgresql://user:secret?a@host/db", "user:secret@host/db", "user:secret@host", "//user:secret@host/db", "secret@host",
    "psql postgresql://user:secret@host/db", "export DATABASE_URL=postgresql://user:secret@host/db",
    "DATABASE_URL=postgresql://user:secret@host/db", "url = postgresql://user:secret@host/db",
    "host=h user:secret@host", "password=my secret host=h", "password=my secret@host", "host=h password='it's secret'",
    "host=h password=\"my secret\"", "\"host=h password=secret\"", "'host=h password=secret'", "password = my secret",
    "postgresql://user:secret", "postgresql://user:secret/db", "postgresql://h?password=secret@host",
    "postgresql://user:pw@h/db?password=se cret secret", "sqlite://user:secret@host/db", "mysql://h/db?password=secret",
    "postgresql://[::1]x@user:secret@host", "postgresql://user:pass@[::1:secret@host/db",
};
enum { MALFORMED_COUNT = sizeof MALFORMED / sizeof *MALFORMED };

START_TEST(nothing_of_a_password_is_shown_however_malformed_it_is)
{
    for (int i = 0; i < MALFORMED_COUNT; i++) {
        char *masked = redaction_mask(MALFORMED[i]);
        ck_assert_msg(!strstr(masked, "secret") && !strstr(masked, "cret"), "%s: %s", MALFORMED[i], masked);
        mem_free(masked);
    }
}
END_TEST

START_TEST(a_flaw_is_told_without_the_url)
{
    static const char *const FLAWS[][2] = {
        { "\"postgresql://u:p@h/db\"", "quotes" }, { "'postgresql://u:p@h/db'", "quotes" }, { "mysql://u:p@h/db", "begin with" },
        { "u:p@h/db", "begin with" }, { " postgresql://u:p@h/db", "space" }, { "postgresql://u:p@h/db ", "space" },
        { "postgresql://u:p%@h/db", "%25" }, { "postgresql://u:p%00@h/db", "%25" }, { "postgresql://u:p@q@h/db", "%40" },
        { "postgresql://u:p/q@h/db", "%2F" },
    };
    static const char *const GOOD[] = {
        "postgresql://u:p@h/db", "postgres://u:p^w@h:1,i:2/db?sslmode=require", "host=h password='a b'", "service=x", "",
        "postgresql://h/db?user=a@b", "postgresql://u:p%40@[::1]/db", "postgresql:///db?host=/run", "host=h application_name='x'",
    };
    for (size_t i = 0; i < sizeof FLAWS / sizeof *FLAWS; i++)
        ck_assert_msg(redaction_flaw(FLAWS[i][0]) && strstr(redaction_flaw(FLAWS[i][0]), FLAWS[i][1]), "%s", FLAWS[i][0]);
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        ck_assert_msg(!redaction_flaw(GOOD[i]), "%s: %s", GOOD[i], redaction_flaw(GOOD[i]));
}
END_TEST

START_TEST(what_has_no_password_is_shown_as_it_is)
{
    static const char *const OPEN[] = {
        "", "sqlite:tenk.db", "sqlite:a password=b.db", "postgresql://",
        "postgresql://user@host/db", "postgresql://host:5432/db",
        "postgresql://host:5432/db?user=a@b", "postgresql://[::1]:5432/db",
        "postgresql:///db?host=%2Frun", "host=h dbname=d",
        "dbname = d  user='a b' ", "=", "' ", "?&=", "postgresql://h?",
        "postgresql://h?password",
    };
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN; i++) {
        char *masked = redaction_mask(OPEN[i]);
        ck_assert_str_eq(masked, OPEN[i]);
        mem_free(masked);
    }
}
END_TEST

/* Every text of a few letters that matter is masked without reading or looping beyond its end. */
START_TEST(no_text_of_the_letters_that_matter_confuses_it)
{
    static const char LETTERS[] = "a:/@?&=%' \\";
    enum { LENGTH = 4, BASE = sizeof LETTERS - 1 };
    for (int n = 0; n < BASE * BASE * BASE * BASE; n++) {
        char text[40] = "x://password=", *end = text + strlen(text);
        for (int i = 0, rest = n; i < LENGTH; i++, rest /= BASE)
            *end++ = LETTERS[rest % BASE];
        mem_free(redaction_mask(text));
        mem_free(redaction_mask(text + 4));
        mem_free(redaction_mask(text + 13));
    }
}
END_TEST

Suite *redaction_suite(void)
{
    Suite *s = suite_create("redaction");
    TCase *t = tcase_create("all");
    tcase_add_test(t, passwords_are_masked_and_the_rest_stays);
    tcase_add_test(t, nothing_of_a_password_is_shown_however_malformed_it_is);
    tcase_add_test(t, a_flaw_is_told_without_the_url);
    tcase_add_test(t, what_has_no_password_is_shown_as_it_is);
    tcase_add_test(t, no_text_of_the_letters_that_matter_confuses_it);
    suite_add_tcase(s, t);
    return s;
}
