/* test_files.c - files of one folder: with openat2 and, where the kernel has none, without. */
#include "server/http/files.h"
#include "serving.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[] = "/tmp/tenk-test-XXXXXX";
static int  root;

static int file(request *req) { return respond_file(req, root, request_param(req, "*")); }

static const route ROUTES_HERE[] = { { "GET", "/*", .await = file } };

static void write_file(const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    fclose(f);
}

/* folder: secret, root/{a.txt, in/b.css, up -> ../secret, down -> in/b.css, fifo} */
static void setup(void)
{
    char path[200];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    mkdir("root", 0700);
    mkdir("root/in", 0700);
    write_file("secret", "SECRET");
    write_file("root/a.txt", "the a");
    write_file("root/in/b.css", "the b");
    write_file("root/empty", "");
    ck_assert_int_eq(symlink("../secret", "root/up") | symlink("in/b.css", "root/down") | mkfifo("root/fifo", 0600), 0);
    snprintf(path, sizeof path, "%s/root", folder);
    root = files_open(path);
    ck_assert_int_ge(root, 0);
}

static void teardown(void)
{
    static const char *const ALL[] = { "root/in/b.css", "root/a.txt", "root/empty", "root/up", "root/down", "root/fifo",
                                       "secret" };
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
        unlink(ALL[i]);
    rmdir("root/in");
    rmdir("root");
    rmdir(folder);
    close(root);
}

static client client_asking(const char *method, const char *target, const char *headers)
{
    char words[1000];
    client c = client_new();
    snprintf(words, sizeof words, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method, target, headers);
    client_say(&c, words);
    client_until_end(&c);
    return c;
}

/* The answer's status; 0 on none. */
static int get(const char *target, const char *headers, const char *content)
{
    client c = client_asking("GET", target, headers);
    const int status = atoi(c.got + 9);
    if (content)
        ck_assert_msg(strcmp(strstr(c.got, "\r\n\r\n") + 4, content) == 0, "%s: %s", target, c.got);
    ck_assert_msg(!strstr(c.got, "SECRET"), "%s", target);
    client_close(&c);
    return status;
}

static void nothing_outside_is_reachable(void)
{
    static const char *const NONE[] = { "/../secret", "/in/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/up", "/in/..", "/.",
                                        "/./a.txt", "//a.txt", "/in//b.css", "/in/", "/in", "/fifo", "/none", "/a.txt/x", "/",
                                        "/a.txt%00", "/in/../a.txt" };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        ck_assert_msg(get(NONE[i], "", NULL) == 404, "%s", NONE[i]);
    ck_assert_int_eq(get("/a.txt", "", "the a"), 200);
    ck_assert_int_eq(get("/in/b.css", "", "the b"), 200);
    ck_assert_int_eq(get("/empty", "", ""), 200);
}

START_TEST(what_is_in_the_folder_is_served_and_nothing_else)
{
    serving_start(ROUTES_HERE, 1);
    nothing_outside_is_reachable();
    serving_stop();
}
END_TEST

START_TEST(nor_is_it_where_the_kernel_has_no_openat2)
{
    struct sock_filter refuse[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { 4, refuse };
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    serving_start(ROUTES_HERE, 1);
    nothing_outside_is_reachable();
    ck_assert_int_eq(get("/down", "", NULL), 404);
    serving_stop();
}
END_TEST

START_TEST(who_has_it_already_gets_304_and_who_insists_on_another_412)
{
    static const struct { const char *headers; int status; } CASES[] = {
        { "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304 },
        { "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 304 },
        { "If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", 304 },
        { "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200 },
        { "If-Modified-Since: yesterday\r\n", 200 },
        { "If-None-Match: *\r\n", 304 }, { "If-None-Match: \"x\"\r\n", 200 },
        { "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200 },
        { "If-None-Match: \"x\"\r\nIf-None-Match: *\r\n", 200 },       /* no member of a list */
        { "If-None-Match: \"x\"\r\nIf-None-Match: MINE\r\n", 304 },
        { "If-None-Match: \"x\", W/MINE, \"y\"\r\n", 304 }, { "If-None-Match: \"a,MINE\r\n", 200 },
        { "If-Match: \"x\"\r\n", 412 }, { "If-Match: *\r\n", 200 }, { "If-Match: MINE\r\n", 200 },
        { "If-Match: \"x\"\r\nIf-Match: MINE\r\n", 200 }, { "If-Match: W/MINE\r\n", 412 },
        { "If-Match: \"x\"\r\nIf-None-Match: MINE\r\n", 412 }, { "If-Match: MINE\r\nIf-None-Match: MINE\r\n", 304 },
        { "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 412 },
        { "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200 }, { "If-Unmodified-Since: yesterday\r\n", 200 },
        { "If-Match: MINE\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200 },
        { "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304 },
    };
    const struct timespec then[2] = { { .tv_sec = 784111777 }, { .tv_sec = 784111777 } };
    char headers[200];
    ck_assert_int_eq(utimensat(root, "a.txt", then, 0), 0);
    serving_start(ROUTES_HERE, 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *to = headers;
        for (const char *at = CASES[i].headers, *mine;; at = mine + 4) {
            mine = strstr(at, "MINE");
            to += sprintf(to, "%.*s", mine ? (int)(mine - at) : (int)strlen(at), at);
            if (!mine)
                break;
            to += sprintf(to, "\"5-%llx\"", 784111777000000000ull);
        }
        const int status = get("/a.txt", headers, CASES[i].status == 304 ? "" : NULL);
        ck_assert_msg(status == CASES[i].status, "%s: %d", CASES[i].headers, status);
    }
    serving_stop();
}
END_TEST

START_TEST(a_file_larger_than_a_piece_arrives_whole)
{
    enum { LARGE = 1000000 };
    char *const large = zeros(LARGE);
    for (size_t i = 0; i + 1 < LARGE; i++)
        large[i] = (char)('a' + i % 23);
    write_file("root/a.txt", large);
    serving_start(ROUTES_HERE, 1);
    ck_assert_int_eq(get("/a.txt", "", large), 200);
    serving_stop();
}
END_TEST

/* What was promised cannot come any more. */
START_TEST(a_file_that_is_cut_short_while_it_is_sent_ends_its_connection)
{
    enum { SIZE = 16 << 20 };
    write_file("root/a.txt", "x");
    ck_assert_int_eq(truncate("root/a.txt", SIZE), 0);
    client_small_buffer();                   /* so that the rest is not read yet */
    serving_start(ROUTES_HERE, 1);
    client c = client_new();
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    client_until(&c, "Content-Length: 16777216");
    ck_assert_int_eq(truncate("root/a.txt", 1), 0);
    client_until_end(&c);
    ck_assert_uint_lt(c.length, SIZE);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

/* page.css has both, code.js only the lesser one, a.txt none, and those of picture.png are nobody's business. */
static void write_compressed(void)
{
    static const char *const NAMES[] = { "page.css", "page.css.gz", "page.css.br", "code.js", "code.js.gz", "picture.png",
                                         "picture.png.gz", "alone.css.br" };
    char path[64];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "root/%s", NAMES[i]);
        write_file(path, NAMES[i]);
    }
}

static void remove_compressed(void)
{
    ck_assert_int_eq(system("rm root/page.* root/code.* root/picture.* root/alone.*"), 0);
}

/* What is sent of a file is that one of the folder, and it says so; all have the type of the file that was asked for. */
static void expect_sent(const char *method, const char *target, const char *accept, const char *sent, const char *coding)
{
    char headers[200], line[64];
    snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", accept);
    client c = client_asking(method, target, headers);
    ck_assert_msg(strncmp(c.got, "HTTP/1.1 200", 12) == 0, "%s: %s", accept, c.got);
    ck_assert_msg(strcmp(strstr(c.got, "\r\n\r\n") + 4, strcmp(method, "HEAD") == 0 ? "" : sent) == 0, "%s: %s", accept, c.got);
    snprintf(line, sizeof line, "\r\nContent-Encoding: %s\r\n", coding);
    ck_assert_msg(coding ? client_count(&c, line) == 1 : client_count(&c, "Content-Encoding") == 0, "%s: %s", accept, c.got);
    snprintf(line, sizeof line, "\r\nContent-Length: %zu\r\n", strlen(sent));
    ck_assert_msg(client_count(&c, line) == 1, "%s: %s", accept, c.got);
    const bool varies = !strstr(target, "png");
    ck_assert_msg(client_count(&c, "\r\nVary: Accept-Encoding\r\n") == varies, "%s: %s", accept, c.got);
    ck_assert_msg(client_count(&c, "\r\nContent-Type: text/css; charset=utf-8\r\n") == (strstr(target, ".css") != NULL), "%s",
                  c.got);
    client_close(&c);
}

START_TEST(a_file_is_sent_in_the_coding_that_the_client_likes_best_of_those_beside_it)
{
    write_compressed();
    serving_start(ROUTES_HERE, 1);
    expect_sent("GET", "/page.css", "", "page.css", NULL);
    expect_sent("GET", "/page.css", "br;q=1, gzip;q=0.8", "page.css.br", "br");
    expect_sent("HEAD", "/page.css", "br;q=1, gzip;q=0.8", "page.css.br", "br");
    expect_sent("GET", "/page.css", "br;q=0.1, gzip;q=0.8", "page.css.gz", "gzip");
    expect_sent("GET", "/page.css", "deflate, identity;q=0.5", "page.css", NULL);
    expect_sent("GET", "/page.css", "*", "page.css.br", "br");
    expect_sent("GET", "/code.js", "br, gzip", "code.js.gz", "gzip");
    expect_sent("GET", "/code.js", "br", "code.js", NULL);
    expect_sent("GET", "/a.txt", "br, gzip", "the a", NULL);
    expect_sent("GET", "/picture.png", "br, gzip", "picture.png", NULL);
    ck_assert_int_eq(get("/alone.css", "Accept-Encoding: br\r\n", NULL), 404);
    ck_assert_int_eq(get("/page.css.br", "", "page.css.br"), 200);
    serving_stop();
    remove_compressed();
}
END_TEST

START_TEST(what_is_older_than_its_file_or_none_itself_is_not_sent_for_it)
{
    const struct timespec before[2] = { { .tv_sec = 784111777 }, { .tv_sec = 784111777 } };
    write_compressed();
    ck_assert_int_eq(utimensat(root, "page.css.br", before, 0), 0);
    ck_assert_int_eq(unlink("root/code.js.gz") | mkdir("root/code.js.gz", 0700), 0);
    ck_assert_int_eq(unlink("root/page.css.gz") | symlink("../secret", "root/page.css.gz"), 0);
    serving_start(ROUTES_HERE, 1);
    expect_sent("GET", "/page.css", "br, gzip", "page.css", NULL);
    expect_sent("GET", "/code.js", "br, gzip", "code.js", NULL);
    serving_stop();
    ck_assert_int_eq(rmdir("root/code.js.gz"), 0);
    remove_compressed();
}
END_TEST

static void tag_of(const char *accept, char tag[64])
{
    char headers[200];
    snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", accept);
    client c = client_asking("GET", "/page.css", headers);
    ck_assert_int_eq(sscanf(strstr(c.got, "ETag: "), "ETag: %63s", tag), 1);
    client_close(&c);
}

START_TEST(each_coding_has_a_tag_of_its_own_by_which_it_is_not_sent_again)
{
    char plain[64], br[64], headers[400];
    const struct timespec same[2] = { { .tv_sec = 784111777 }, { .tv_sec = 784111777 } };
    write_compressed();
    write_file("root/page.css.br", "page.css");              /* as long and as old as the file itself */
    ck_assert_int_eq(utimensat(root, "page.css", same, 0) | utimensat(root, "page.css.br", same, 0), 0);
    serving_start(ROUTES_HERE, 1);
    tag_of("", plain);
    tag_of("br", br);
    ck_assert_str_ne(plain, br);
    snprintf(headers, sizeof headers, "Accept-Encoding: br\r\nIf-None-Match: %s\r\n", br);
    client c = client_asking("GET", "/page.css", headers);
    ck_assert_msg(strncmp(c.got, "HTTP/1.1 304", 12) == 0 && client_count(&c, "Content-Encoding") == 0 &&
                      client_count(&c, "\r\nVary: Accept-Encoding\r\n") == 1, "%s", c.got);
    client_close(&c);
    snprintf(headers, sizeof headers, "Accept-Encoding: br\r\nIf-None-Match: %s\r\n", plain);
    ck_assert_int_eq(get("/page.css", headers, "page.css"), 200);
    snprintf(headers, sizeof headers, "Accept-Encoding: br\r\nIf-Match: %s\r\n", plain);
    c = client_asking("GET", "/page.css", headers);
    ck_assert_msg(strncmp(c.got, "HTTP/1.1 412", 12) == 0 && client_count(&c, "Content-Encoding") == 0, "%s", c.got);
    client_close(&c);
    serving_stop();
    remove_compressed();
}
END_TEST

Suite *files_suite(void)
{
    Suite *s = suite_create("files");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_in_the_folder_is_served_and_nothing_else);
    tcase_add_test(t, nor_is_it_where_the_kernel_has_no_openat2);
    tcase_add_test(t, who_has_it_already_gets_304_and_who_insists_on_another_412);
    tcase_add_test(t, a_file_larger_than_a_piece_arrives_whole);
    tcase_add_test(t, a_file_that_is_cut_short_while_it_is_sent_ends_its_connection);
    tcase_add_test(t, a_file_is_sent_in_the_coding_that_the_client_likes_best_of_those_beside_it);
    tcase_add_test(t, what_is_older_than_its_file_or_none_itself_is_not_sent_for_it);
    tcase_add_test(t, each_coding_has_a_tag_of_its_own_by_which_it_is_not_sent_again);
    suite_add_tcase(s, t);
    return s;
}
