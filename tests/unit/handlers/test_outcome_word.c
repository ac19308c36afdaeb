/* test_outcome_word.c - how something ended, in words for people. */
#include "handlers/gallery/gallery.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"

#include <string.h>

START_TEST(whatever_refused_it_is_told_in_words)
{
    for (int kind = 0; kind < REFUSALS; kind++)
        ck_assert_str_eq(gallery_outcome_word(REFUSED(kind)), "no room");
}
END_TEST

START_TEST(errors_of_ours_are_told_in_words)
{
    static const int errors[] = { ERR_UNCERTAIN, DB_ESERIALIZATION, DB_EDEADLOCK, DB_EQUERY, E_NOT_FOUND, UV_ECANCELED, UV_EIO };
    ck_assert_str_eq(gallery_outcome_word(0), "");
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        ck_assert_ptr_null(strstr(gallery_outcome_word(errors[i]), "Unknown"));
}
END_TEST

Suite *outcome_word_suite(void)
{
    Suite *s = suite_create("outcome_word");
    TCase *t = tcase_create("all");
    tcase_add_test(t, whatever_refused_it_is_told_in_words);
    tcase_add_test(t, errors_of_ours_are_told_in_words);
    suite_add_tcase(s, t);
    return s;
}
