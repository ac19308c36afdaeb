/* cross_site.c - what pages of other sites can make a visitor's browser do here, and what ours tell it. */
#include "scenarios.h"

#include <stdio.h>
#include <string.h>

static void with_sites(void) { server_start("sites", NULL); }

#define FORM "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\ntitle=t&body=b"

/* With Host: tenk.test:8080. */
static answer post_from(const char *path, const char *headers)
{
    char request[512];
    snprintf(request, sizeof request, "POST %s HTTP/1.1\r\nHost: tenk.test:8080\r\nConnection: close\r\n%s" FORM, path, headers);
    return ask(request);
}

START_TEST(what_another_site_sends_is_403_on_every_route)
{
    static const char *const foreign[] = {
        "Origin: https://evil.test\r\n", "Origin: null\r\n", "Origin: http://tenk.test\r\n", "Origin: http://tenk.test:80\r\n",
        "Origin: http://tenk.test:8080.evil.test\r\n", "Origin: http://evil.test/tenk.test:8080\r\n",
        "Origin: tenk.test:8080\r\n", "Origin: ftp://tenk.test:8080\r\n", "Origin: sftp://tenk.test:8080\r\n",
        "Origin: http://\r\n", "Origin: http://tenk.test:808\r\n",
        "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: cross-site\r\nOrigin: http://tenk.test:8080\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: http://other.tenk.test\r\n",
    };
    static const char *const paths[] = { "/users/7/posts", "/import", "/echo", "/compare" };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
            const answer a = post_from(paths[k], foreign[i]);
            ck_assert_msg(a.status == 403, "%s %s: %d", paths[k], foreign[i], a.status);
            expect_problem(a, 403);
        }
    expect_problem(ask("POST /echo HTTP/1.1\r\nHost:\r\nOrigin: http://\r\nConnection: close\r\n" FORM), 403);
    ck_assert_ptr_null(strstr(get_as("/users/7", "application/json").body, "\"title\":\"t\""));
}
END_TEST

START_TEST(what_comes_from_here_or_from_no_browser_is_served)
{
    static const char *const ours[] = {
        "", "Origin: http://tenk.test:8080\r\n", "Origin: https://tenk.test:8080\r\n", "Origin: HTTP://Tenk.Test:8080\r\n",
        "Sec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: https://behind.a.proxy.test\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        const answer a = post_from("/users/8/posts", ours[i]);
        ck_assert_msg(a.status == 303, "%s: %d %s", ours[i], a.status, a.body);
    }
    /* A Host may name the usual port, which an Origin leaves out. */
    expect(ask("POST /echo HTTP/1.1\r\nHost: tenk.test:443\r\nOrigin: https://tenk.test\r\n"
               "Connection: close\r\n" FORM), 200, NULL);
    expect(ask("POST /echo HTTP/1.1\r\nHost: tenk.test:80\r\nOrigin: http://tenk.test\r\nConnection: close\r\n" FORM), 200, NULL);
    expect_problem(ask("POST /echo HTTP/1.1\r\nHost: tenk.test:443\r\nOrigin: http://tenk.test\r\n"
                       "Connection: close\r\n" FORM), 403);
}
END_TEST

START_TEST(anybody_may_link_to_us)
{
    expect(ask("GET /users/42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\nOrigin: https://other.test\r\n"
               "Sec-Fetch-Site: cross-site\r\n\r\n"), 200, "text/html");
    expect_problem(ask("POST /nothing HTTP/1.1\r\nHost: t\r\nConnection: close\r\nSec-Fetch-Site: cross-site\r\n\r\n"), 404);
}
END_TEST

START_TEST(a_refused_import_is_not_read)
{
    client *c = client_new();
    client_say(c, "POST /import HTTP/1.1\r\nHost: t\r\nSec-Fetch-Site: cross-site\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n");
    expect_problem(client_answer(c), 403);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

static void expect_policy(const answer *a, const char *of)
{
    static const char *const parts[] = { "default-src 'self'", "base-uri 'none'", "form-action 'self'",
                                         "frame-ancestors 'none'" };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(header_has(a, "Content-Security-Policy", parts[i]), "%s: %s", of, a->head);
    ck_assert_msg(!header_has(a, "Content-Security-Policy", "img-src"), "%s: %s", of, a->head);
    ck_assert_msg(header_is(a, "Referrer-Policy", "same-origin"), "%s: %s", of, a->head);
    ck_assert_msg(header_is(a, "X-Content-Type-Options", "nosniff"), "%s: %s", of, a->head);
    ck_assert_int_eq(header_count(a, "Content-Security-Policy"), 1);
    ck_assert_int_eq(header_count(a, "X-Content-Type-Options"), 1);
}

START_TEST(every_page_says_what_it_may_load_and_do)
{
    static const char *const pages[] = {
        "/", "/users", "/users/42", "/users/42/callbacks", "/posts/411", "/patterns", "/workloads", "/nothing", "/users/0",
        "/users/x", "/sleep?ms=x", "/echo", "/static/nothing",
    };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const answer a = get_as(pages[i], "text/html");
        ck_assert_msg(header_has(&a, "Content-Type", "text/html"), "%s: %s", pages[i], a.head);
        expect_policy(&a, pages[i]);
    }
    const answer bad = ask("GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n");
    if (header_has(&bad, "Content-Type", "text/html"))       /* of one that cannot be read, Accept may be unknown */
        expect_policy(&bad, "400");
}
END_TEST

START_TEST(what_is_echoed_is_what_its_sender_says_and_no_more)
{
    static const char *const pages[] = {
        "text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml",
    };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const answer a = post("/echo", pages[i], "<script>alert(1)</script>");
        expect(a, 200, pages[i]);
        expect_policy(&a, pages[i]);
    }
    static const char *const others[] = { "text/plain", "application/json", "text/x-html", NULL };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const answer a = post("/echo", others[i], "<script>alert(1)</script>");
        ck_assert_msg(header_is(&a, "X-Content-Type-Options", "nosniff"), "%s", a.head);
        ck_assert_int_eq(header_count(&a, "X-Content-Type-Options"), 1);
    }
}
END_TEST

START_TEST(lists_count_in_all_their_lines)
{
    const answer a = ask("GET /users/42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAccept: text/html;q=0.1\r\n"
                         "X: y\r\nAccept: application/json\r\n\r\n");
    expect(a, 200, "application/json");
    const answer b = ask("GET /nothing HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAccept:\r\nAccept: application/json;q=0.1\r\n"
                         "Accept: text/html\r\n\r\n");
    expect(b, 404, "text/html");
}
END_TEST

Suite *cross_site_suite(void)
{
    Suite *s = suite_create("cross_site");
    TCase *t = theme(s, "sites", with_sites);
    tcase_add_test(t, what_another_site_sends_is_403_on_every_route);
    tcase_add_test(t, what_comes_from_here_or_from_no_browser_is_served);
    tcase_add_test(t, anybody_may_link_to_us);
    tcase_add_test(t, a_refused_import_is_not_read);
    tcase_add_test(t, every_page_says_what_it_may_load_and_do);
    tcase_add_test(t, what_is_echoed_is_what_its_sender_says_and_no_more);
    tcase_add_test(t, lists_count_in_all_their_lines);
    return s;
}
