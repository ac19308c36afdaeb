/* static_files.c - /static/: what files are served as, when they are not sent again, and that nothing else
 * gets out. */
#include "scenarios.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void with_files(void) { server_start("files", NULL); }

START_TEST(a_file_has_type_length_date_and_tag)
{
    static const struct { const char *path, *type; } files[] = {
        { "/static/hello.txt", "text/plain" }, { "/static/style.css", "text/css" },
        { "/static/code.js", "text/javascript" },
        { "/static/page.html", "text/html" }, { "/static/picture.svg", "image/svg+xml" },
        { "/static/data.json", "application/json" },
        { "/static/large.bin", "application/octet-stream" }, { "/static/empty.txt", "text/plain" },
        { "/static/sub/deep/file.txt", "text/plain" }, { "/static/two%20words.txt", "text/plain" },
        { "/static/%68ello.txt", "text/plain" }, { "/static/hello.txt?version=2", "text/plain" },
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const answer a = get(files[i].path);
        ck_assert_msg(a.status == 200, "%s: %d", files[i].path, a.status);
        expect(a, 200, files[i].type);
        ck_assert_ptr_nonnull(header(&a, "Last-Modified"));
        const char *tag = header(&a, "ETag");
        ck_assert_msg(tag && (tag[0] == '"' || strncmp(tag, "W/\"", 3) == 0), "%s: ETag %s",
                      files[i].path, tag);
        ck_assert_msg(header_is(&a, "X-Content-Type-Options", "nosniff"), "%s: %s", files[i].path, a.head);
    }
    const answer hello = get("/static/hello.txt");
    ck_assert_str_eq(hello.body, "Hello from a file.\n");
    ck_assert_uint_eq(get("/static/empty.txt").length, 0);
}
END_TEST

START_TEST(a_large_file_arrives_whole)
{
    const answer a = get("/static/large.bin");
    ck_assert_uint_eq(a.length, 4 * 1024 * 1024);
    unsigned wrong = 0;
    for (unsigned i = 0; i < a.length / 4; i++) {
        unsigned is;
        memcpy(&is, a.body + 4 * (size_t)i, 4);
        wrong += is != i * 2654435761u;
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(large_files_can_be_asked_for_one_after_the_other)
{
    client *c = client_new();
    for (int i = 0; i < 8; i++)
        ck_assert(client_say(c, i % 2 ? "GET /static/large.bin HTTP/1.1\r\nHost: t\r\n\r\n"
                                      : "GET /json HTTP/1.1\r\nHost: t\r\n\r\n"));
    for (int i = 0; i < 8; i++)
        ck_assert_uint_eq(client_answer(c).length, i % 2 ? 4 * 1024 * 1024 : 27);
    client_free(c);
}
END_TEST

static answer get_if(const char *path, const char *condition)
{
    char request[1024];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%s\r\n\r\n", path, condition);
    return ask(request);
}

START_TEST(what_has_not_changed_is_not_sent_again)
{
    char tag[128], date[64], condition[512];
    const answer a = get("/static/hello.txt");
    snprintf(tag, sizeof tag, "%s", header(&a, "ETag"));
    snprintf(date, sizeof date, "%s", header(&a, "Last-Modified"));

    const char *const same[] = {
        "If-None-Match: %s", "If-None-Match: \"other\", %s", "If-None-Match: W/%s",
        "If-None-Match: *", "If-None-Match: %s\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        const char *const opaque = strncmp(tag, "W/", 2) == 0 && strstr(same[i], "W/") ? tag + 2 : tag;
        snprintf(condition, sizeof condition, same[i], opaque);
        const answer b = get_if("/static/hello.txt", condition);
        ck_assert_msg(b.status == 304, "%s: %d", condition, b.status);
        ck_assert_str_eq(header(&b, "ETag"), tag);
    }
    snprintf(condition, sizeof condition, "If-Modified-Since: %s", date);
    const answer c = get_if("/static/hello.txt", condition);
    ck_assert_int_eq(c.status, 304);

    expect(get_if("/static/hello.txt", "If-None-Match: \"other\""), 200, "text/plain");
    expect(get_if("/static/hello.txt", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"), 200,
           "text/plain");
    expect(get_if("/static/hello.txt", "If-Modified-Since: nonsense"), 200, "text/plain");
    /* RFC 9110, 13.1.3: with If-None-Match, If-Modified-Since is not looked at. */
    snprintf(condition, sizeof condition, "If-None-Match: \"other\"\r\nIf-Modified-Since: %s", date);
    expect(get_if("/static/hello.txt", condition), 200, "text/plain");
}
END_TEST

START_TEST(a_304_has_no_body_and_the_connection_goes_on)
{
    client *c = client_new();
    client_say(
        c,
        "GET /static/hello.txt HTTP/1.1\r\nHost: t\r\nIf-None-Match: *\r\n\r\nGET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 304);
    ck_assert_str_eq(client_answer(c).body, "{\"message\":\"Hello, World!\"}");
    client_free(c);
}
END_TEST

START_TEST(a_changed_file_has_another_tag)
{
    char path[256], first[128];
    snprintf(path, sizeof path, "%s/static/changing.txt", run_folder());
    FILE *f = fopen(path, "w");
    fputs("before", f);
    fclose(f);
    const answer a = get("/static/changing.txt");
    snprintf(first, sizeof first, "%s", header(&a, "ETag"));
    f = fopen(path, "w");
    fputs("after!", f);                      /* of the same length */
    fclose(f);
    const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = time(NULL) + 5 } };
    utimensat(AT_FDCWD, path, times, 0);
    const answer b = get("/static/changing.txt");
    ck_assert_str_eq(b.body, "after!");
    ck_assert_str_ne(header(&b, "ETag"), first);
}
END_TEST

START_TEST(nothing_outside_the_root_gets_out_by_any_spelling)
{
    static const char *const paths[] = {
        "/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/%2E%2E/secret.txt",
        "/static/.%2e/secret.txt", "/static/..%2fsecret.txt", "/static/..%2Fsecret.txt",
        "/static/%2e%2e%2fsecret.txt", "/static/sub/../../secret.txt",
        "/static/sub/%2e%2e/%2e%2e/secret.txt", "/static/..\\secret.txt", "/static/..%5csecret.txt",
        "/static/%5c..%5csecret.txt", "/static//../secret.txt", "/static/./../secret.txt",
        "/static/..;/secret.txt", "/static/%252e%252e/secret.txt",
        "/static/%c0%ae%c0%ae/secret.txt", "/static/..%00/secret.txt",
        "/static/hello.txt%00/../../secret.txt", "/static/link.txt", "/static/linked/secret.txt",
        "/static/linked/../secret.txt", "/static/sub/../linked/secret.txt", "/static/%2fetc/passwd",
        "/static//etc/passwd", "/static/%2f%2fetc/passwd",
        "/static/../../../../../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/../secret.txt",
        "/%2e%2e/secret.txt", "/static/...//secret.txt", "/static/proc/self/environ", "/static/..",
        "/static/../", "/static/%2e%2e", "//static/../secret.txt", "http://t/static/../secret.txt",
        "/static/\xc0\xae\xc0\xae/secret.txt",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer a = get(paths[i]);
        ck_assert_msg(a.status == 404 || a.status == 400 || a.status == 403, "%s: %d", paths[i],
                      a.status);
        ck_assert_msg(!strstr(a.body, "top secret") && !strstr(a.body, "root:"), "%s gets out",
                      paths[i]);
    }
}
END_TEST

START_TEST(odd_names_are_not_found)
{
    static const char *const paths[] = {
        "/static/hello.txt%00", "/static/hello.txt%00.css", "/static/nothing.txt",
        "/static/hello.txt/", "/static/hello.txt/x", "/static/%", "/static/%zz",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer a = get(paths[i]);
        ck_assert_msg(a.status == 404 || a.status == 400, "%s: %d", paths[i], a.status);
    }
    char path[6000] = "/static/";
    memset(path + 8, 'a', 5000);             /* longer than any name */
    ck_assert_int_eq(get(path).status, 404);
}
END_TEST

START_TEST(a_folder_is_not_listed)
{
    static const char *const paths[] = {
        "/static", "/static/", "/static/sub", "/static/sub/", "/static/sub/deep/", "/static/.",
        "/static/sub/.",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer a = get(paths[i]);
        ck_assert_msg(a.status == 404, "%s: %d", paths[i], a.status);
        ck_assert_ptr_null(strstr(a.body, "file.txt"));
    }
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_waited_for)
{
    char path[256];
    snprintf(path, sizeof path, "%s/static/pipe", run_folder());
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    const answer a = get("/static/pipe");
    unlink(path);
    ck_assert_msg(a.status == 404, "a pipe: %d", a.status);
}
END_TEST

START_TEST(a_reader_that_leaves_in_the_middle_of_a_file_leaves_nothing_open)
{
    get("/static/large.bin");
    ck_assert(eventually(5, server_descriptors() > 0));
    const int before = server_descriptors();
    for (int i = 0; i < scaled(200); i++) {
        client *c = client_small(4096);
        client_say(c, "GET /static/large.bin HTTP/1.1\r\nHost: t\r\n\r\n");
        client_reset(c);
    }
    ck_assert_msg(eventually(10, server_descriptors() <= before), "%d open, %d before",
                  server_descriptors(), before);
}
END_TEST

/* Its working folder is one of its own, with no static in it. */
START_TEST(a_program_where_it_was_built_finds_its_files_from_anywhere)
{
    server_start("files-anywhere", "TENK_FILES_ROOT=auto", NULL);
    expect(get("/static/style.css"), 200, "text/css");
    server_stop();
}
END_TEST

Suite *static_files_suite(void)
{
    Suite *s = suite_create("static_files");
    TCase *t = theme(s, "files", with_files);
    tcase_add_test(t, a_file_has_type_length_date_and_tag);
    tcase_add_test(t, a_large_file_arrives_whole);
    tcase_add_test(t, large_files_can_be_asked_for_one_after_the_other);
    tcase_add_test(t, what_has_not_changed_is_not_sent_again);
    tcase_add_test(t, a_304_has_no_body_and_the_connection_goes_on);
    tcase_add_test(t, a_changed_file_has_another_tag);
    tcase_add_test(t, nothing_outside_the_root_gets_out_by_any_spelling);
    tcase_add_test(t, odd_names_are_not_found);
    tcase_add_test(t, a_folder_is_not_listed);
    tcase_add_test(t, what_is_no_regular_file_is_not_waited_for);
    tcase_add_test(t, a_reader_that_leaves_in_the_middle_of_a_file_leaves_nothing_open);
    t = theme(s, "files-anywhere", NULL);
    tcase_add_test(t, a_program_where_it_was_built_finds_its_files_from_anywhere);
    return s;
}
