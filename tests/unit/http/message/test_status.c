/* test_status.c - codes as errors and errors as codes; media types beside them. */
#include "server/http/message/media.h"
#include "server/http/message/status.h"
#include "server/base/errors.h"

#include "tests/unit/suites.h"

#include <uv.h>

START_TEST(a_status_has_its_line_and_reason)
{
    ck_assert(text_equal(status_line(404), TEXT("HTTP/1.1 404 Not Found\r\n")));
    ck_assert(text_equal(status_reason(404), TEXT("Not Found")));
    ck_assert(text_equal(status_reason(202), TEXT("Accepted")));
    ck_assert(text_equal(status_line(299), status_line(500)));
}
END_TEST

START_TEST(a_status_of_our_list_has_a_number_of_its_own_and_any_other_has_500s)
{
    bool seen[STATUSES] = { true };
    for (int status = 1; status < STATUS_CODES; status++) {
        const int number = status_number((unsigned)status);
        ck_assert(number > 0 && number < STATUSES);
        if (status_of_number(number) != status) {
            ck_assert_int_eq(number, status_number(500));
            continue;
        }
        ck_assert(!seen[number]);
        seen[number] = true;
    }
    ck_assert(seen[status_number(101)] && seen[status_number(507)]);
    ck_assert_int_eq(status_number(0), 0);
    ck_assert_int_eq(status_of_number(0), 0);
}
END_TEST

START_TEST(an_error_has_the_status_that_answers_it)
{
    static const struct { int err, status; } CASES[] = {
        { HTTP_STATUS(418), 418 }, { HTTP_STATUS(100), 100 }, { HTTP_STATUS(599), 599 }, { HTTP_STATUS(99), 500 },
        { HTTP_STATUS(600), 500 }, { UV_EINVAL, 400 }, { UV_ENOENT, 404 }, { UV_EAGAIN, 503 }, { UV_ENOMEM, 503 },
        { UV_ECONNREFUSED, 503 }, { UV_ECONNRESET, 503 }, { ERR_UNCERTAIN, 502 }, { UV_ECANCELED, 503 }, { UV_ETIMEDOUT, 504 },
        { UV_ENOSPC, 507 }, { UV_EIO, 500 }, { -1234567, 500 }, { E_NOT_FOUND, 404 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        ck_assert_msg(status_of(CASES[i].err) == CASES[i].status, "%d", CASES[i].err);
}
END_TEST

START_TEST(a_file_s_type_is_told_by_the_ending_of_its_name)
{
    ck_assert_str_eq(media_type("a/b.css"), "text/css; charset=utf-8");
    ck_assert_str_eq(media_type("A.PNG"), "image/png");
    ck_assert_str_eq(media_type("a.b.svg"), "image/svg+xml");
    ck_assert_str_eq(media_type("a.css/b"), "application/octet-stream");
    ck_assert_str_eq(media_type("css"), "application/octet-stream");
    ck_assert_str_eq(media_type("a."), "application/octet-stream");
    ck_assert_str_eq(media_type(""), "application/octet-stream");
}
END_TEST

Suite *status_suite(void)
{
    Suite *s = suite_create("status");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_status_has_its_line_and_reason);
    tcase_add_test(t, a_status_of_our_list_has_a_number_of_its_own_and_any_other_has_500s);
    tcase_add_test(t, an_error_has_the_status_that_answers_it);
    tcase_add_test(t, a_file_s_type_is_told_by_the_ending_of_its_name);
    suite_add_tcase(s, t);
    return s;
}
