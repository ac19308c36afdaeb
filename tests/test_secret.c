/* test_secret.c - no password is ever shown, whatever the shape of the URL. */
#include "server/memory.h"
#include "server/secret.h"

#include "suites.h"

#include <string.h>

START_TEST(passwords_are_masked_and_the_rest_stays)
{
    static const char *const SHAPES[][2] = {
        { "postgresql://user:secret@host/db", "postgresql://user:***@host/db" },
        { "postgres://user:secret@host:5432/db?sslmode=require",
          "postgres://user:***@host:5432/db?sslmode=require" },
        { "postgresql://user:p%40ss%3Aw@[::1]:5432/db", "postgresql://user:***@[::1]:5432/db" },
        { "postgresql://user:a:b@host", "postgresql://user:***@host" },
        { "postgresql://user:secret?x@host/db", "postgresql://user:***@host/db" },
        { "postgresql://user:se@cret@host/db", "postgresql://user:***@host/db" },
        { "postgresql://user:se/cr@et@host/db", "postgresql://user:***@host/db" },
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
        { "mysql://u:secret@h/db", "mysql://u:***@h/db" },
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
        char *masked = secret_mask(SHAPES[i][0]);
        ck_assert_str_eq(masked, SHAPES[i][1]);
        mem_free(masked);
    }
}
END_TEST

START_TEST(what_has_no_password_is_shown_as_it_is)
{
    static const char *const OPEN[] = {
        "", "sqlite:tenk.db", "sqlite:a password=b.db", "postgresql://",
        "postgresql://user@host/db", "postgresql://host:5432/db",
        "postgresql://host:5432/db?user=a@b", "postgresql://[::1]:5432/db",
        "postgresql:///db?host=%2Frun", "host=h dbname=d",
        "dbname = d  user='a b' ", "password", "=", "' ", "?&=", "postgresql://h?",
        "postgresql://h?password",
    };
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN; i++) {
        char *masked = secret_mask(OPEN[i]);
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
        mem_free(secret_mask(text));
        mem_free(secret_mask(text + 4));
        mem_free(secret_mask(text + 13));
    }
}
END_TEST

Suite *secret_suite(void)
{
    Suite *s = suite_create("secret");
    TCase *t = tcase_create("all");
    tcase_add_test(t, passwords_are_masked_and_the_rest_stays);
    tcase_add_test(t, what_has_no_password_is_shown_as_it_is);
    tcase_add_test(t, no_text_of_the_letters_that_matter_confuses_it);
    suite_add_tcase(s, t);
    return s;
}
