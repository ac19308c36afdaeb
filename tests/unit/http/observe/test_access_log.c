/* test_access_log.c - in both modes each request has a line, however it ends; and none waits for it. */
#include "server/base/log.h"
#include "server/base/log_writer.h"
#include "server/http/observe/access_log.h"
#include "server/http/request.h"
#include "server/http/events/events.h"
#include "server/http/websocket/websocket.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <sched.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static int answers(request *req) { return respond(req, 200, "text/plain", TEXT("hello")); }
static int fails(request *req)   { (void)req; return HTTP_STATUS(502); }

static atomic_int waiting;

static int waits(request *req)
{
    waiting++;
    const int err = await(sleep_for(60000));
    return err ? err : respond(req, 200, "text/plain", TEXT("late"));
}

static int streams(request *req)
{
    int err = respond_stream(req, 200, "text/plain");
    for (int i = 0; i < 3 && !err; i++)
        err = await(respond_piece(req, TEXT("1234567")));
    respond_end(req);
    return err;
}

static int talks(request *req)
{
    websocket *ws;
    websocket_message m;
    int err = websocket_accept(req, "", &ws);
    while (!err)
        err = await(websocket_receive(ws, &m));
    return err;
}

static int tells(request *req)
{
    int err = respond_events(req);
    if (!err)
        err = await(event_send(req, (event){ .data = TEXT("x") }));
    return err;
}

static int breaks_off(request *req)
{
    const int err = respond_stream(req, 200, "text/plain");
    if (err)
        return err;
    await(respond_piece(req, TEXT("1234567")));
    return UV_EIO;
}

static int takes(request *req) { return respond_nothing(req, 204); }

static const route ROUTES[] = {
    { "GET", "/hello/:name", .answer = answers }, { "GET", "/fails", .await = fails }, { "GET", "/waits", .await = waits },
    { "GET", "/streams", .await = streams },      { "GET", "/ws", .await = talks, .websocket = true },
    { "GET", "/events", .await = tells },         { "POST", "/takes", .await = takes },
    { "GET", "/breaks", .await = breaks_off },
};

static FILE *log_file;
static char  log_path[] = "/tmp/tenk-access-XXXXXX";

/* From now on: 0, or an error. */
static int set_log(access_format format, const char *where)
{
    char why[256] = "";
    access_log_next next;
    const int err = access_log_prepare(&next, format, where, why, sizeof why);
    if (!err)
        access_log_use(&next);
    else
        ck_assert_ptr_nonnull(strstr(why, where));
    return err;
}

static void serve_with(int threads, access_format format, const char *const settings[])
{
    const int fd = mkstemp(log_path);
    ck_assert_int_ge(fd, 0);
    log_file = fdopen(fd, "r");
    ck_assert_int_eq(set_log(format, log_path), 0);
    ck_assert_int_eq(log_start(), 0);
    whole_server_start(threads ? MODE_THREADS : MODE_ASYNC, ROUTES, sizeof ROUTES / sizeof ROUTES[0], settings);
}

static void serve(int threads) { serve_with(threads, ACCESS_COMBINED, (const char *[]){ NULL }); }

static void end(void)
{
    whole_server_stop();
    log_stop();
    fclose(log_file);
    unlink(log_path);
}

/* The next line, as soon as it is there: from its request on. */
static const char *line_after(const char *part)
{
    static char line[ACCESS_LINE + 1];
    for (;;) {
        log_flush();
        clearerr(log_file);
        if (fgets(line, sizeof line, log_file))
            break;
    }
    const char *const found = strstr(line, part);
    ck_assert_msg(found != NULL, "no \"%s\" in %s", part, line);
    return found + strlen(part);
}

static void expect_line(const char *part, const char *rest)
{
    const char *const came = line_after(part);
    ck_assert_msg(strncmp(came, rest, strlen(rest)) == 0, "not \"%s\" but %s", rest, came);
}

#define ASK(line) line " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"

static void asks(const char *request)
{
    const int fd = wire_open(request);
    wire_until_end(fd);
    wire_close(fd);
}

START_TEST(an_answer_has_a_line_with_all_that_is_known)
{
    serve(_i);
    asks(ASK("GET /hello/you?a=%20b") "Referer: http://r/\r\nUser-Agent: test \"1\"\r\nX-Request-Id: mine-1\r\n"
         "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n"
         "traceparent: 00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n\r\n");        /* the first counts */
    const char *rest = line_after("127.0.0.1 - - [");
    int behind = 0;
    rest = strchr(rest, ']');
    static const char WANTED[] = "] \"GET /hello/you?a=%20b HTTP/1.1\" 200 5 \"http://r/\" \"test \\x221\\x22\" 0.";
    ck_assert_msg(strncmp(rest, WANTED, sizeof WANTED - 1) == 0, "%s", rest);
    rest += sizeof WANTED - 3;
    sscanf(rest, "%*f %n", &behind);
    ck_assert_str_eq(rest + behind, "mine-1 0af7651916cd43dd8448eb211c80319c \"GET /hello/:name\"\n");
    end();
}
END_TEST

START_TEST(an_id_that_is_not_fit_for_one_is_left_out)
{
    serve(_i);
    asks(ASK("GET /hello/you") "X-Request-Id: mine 1\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(line_after("\"GET /hello/you HTTP/1.1\" 200 5 "), " - - \"GET /hello/:name\"\n"));
    end();
}
END_TEST

START_TEST(each_request_of_a_connection_has_its_own_line_in_order)
{
    serve(_i);
    asks("GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\nHEAD /hello/2 HTTP/1.1\r\nHost: t\r\n\r\n"
         "GET /hello/3 HTTP/1.0\r\n\r\n");
    expect_line("\"GET /hello/1 HTTP/1.1\"", " 200 5 \"-\" \"-\" 0.");
    expect_line("\"HEAD /hello/2 HTTP/1.1\"", " 200 0 \"-\"");
    expect_line("\"GET /hello/3 HTTP/1.0\"", " 200 5 \"-\"");
    end();
}
END_TEST

START_TEST(a_long_answer_s_bytes_are_those_of_its_body_not_of_its_chunks)
{
    serve(_i);
    asks(ASK("GET /streams") "\r\n");
    expect_line("\"GET /streams HTTP/1.1\"", " 200 21 ");
    end();
}
END_TEST

START_TEST(errors_have_a_line_and_where_there_is_no_route_there_is_none_in_it)
{
    serve(_i);
    asks(ASK("GET /nothing") "\r\n");
    ck_assert_ptr_nonnull(strstr(line_after("\"GET /nothing HTTP/1.1\" 404 "), " \"-\"\n"));
    asks(ASK("DELETE /takes") "\r\n");
    expect_line("\"DELETE /takes HTTP/1.1\"", " 405 ");
    asks(ASK("GET /fails") "\r\n");
    expect_line("\"GET /fails HTTP/1.1\"", " 502 ");
    end();
}
END_TEST

START_TEST(what_was_refused_has_a_line_with_what_was_understood)
{
    serve_with(_i, ACCESS_COMBINED, (const char *[]){ "TENK_LIMITS_BODY=10", "TENK_LIMITS_HEAD=256", "TENK_LIMITS_URI=128",
                                                      "TENK_TIMEOUTS_BODY=50ms", NULL });
    asks(ASK("POST /takes") "Content-Length: 11\r\n\r\n");
    expect_line("\"POST /takes HTTP/1.1\"", " 413 ");
    asks("this is not HTTP\r\n\r\n");
    expect_line("127.0.0.1 - - ", "[");
    char large[600];
    memset(large, 'x', sizeof large);
    memcpy(large, "GET / HTTP/1.1\r\nA:", 18);
    large[sizeof large - 1] = '\0';
    asks(large);
    expect_line("] \"-\" ", "431 ");
    asks(ASK("POST /takes") "Content-Length: 5\r\n\r\n12");
    expect_line("\"POST /takes HTTP/1.1\"", " 408 ");
    end();
}
END_TEST

START_TEST(what_was_not_said_in_time_has_a_line_without_it)
{
    serve_with(_i, ACCESS_COMBINED, (const char *[]){ "TENK_TIMEOUTS_HEAD=50ms", NULL });
    asks("GET / HT");                        /* and no more */
    expect_line("] \"-\" ", "408 ");
    end();
}
END_TEST

START_TEST(a_client_that_there_is_no_room_for_has_a_line)
{
    serve_with(_i, ACCESS_COMBINED, (const char *[]){ "TENK_LIMITS_CONNECTIONS=1", "TENK_THREADS_MAX=1",
                                                      "TENK_SERVER_WORKERS=1", NULL });
    const int one = wire_open("GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    wire_until(one, "hello");
    asks("");
    expect_line("\"GET /hello/1 HTTP/1.1\"", " 200 ");
    expect_line("127.0.0.1 - - ", "[");
    wire_close(one);
    end();
}
END_TEST

START_TEST(a_client_that_left_before_its_answer_is_499)
{
    serve_with(_i, ACCESS_JSON, (const char *[]){ NULL });
    const int fd = wire_open("GET /waits HTTP/1.1\r\nHost: t\r\n\r\n");
    const int other = wire_open("GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    wire_until(other, "hello");
    while (!waiting)                         /* who leaves before has no name */
        sched_yield();
    wire_reset(fd);
    expect_line("\"path\":\"/hello/1\"", ",\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":5,");
    const char *const rest = line_after("\"client\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/waits\","
                                        "\"protocol\":\"HTTP/1.1\",");
    ck_assert_msg(strncmp(rest, "\"status\":499,\"bytes\":0,", 23) == 0, "%s", rest);
    ck_assert_ptr_nonnull(strstr(rest, ",\"aborted\":true,\"route\":\"GET /waits\"}"));
    wire_close(other);
    end();
}
END_TEST

START_TEST(of_an_answer_that_broke_off_it_is_said)
{
    serve_with(_i, ACCESS_JSON, (const char *[]){ NULL });
    asks(ASK("GET /breaks") "\r\n");
    const char *const rest = line_after("\"path\":\"/breaks\",\"protocol\":\"HTTP/1.1\",\"status\":200,");
    ck_assert_msg(strstr(rest, ",\"aborted\":true,") != NULL, "%s", rest);
    end();
}
END_TEST

START_TEST(websockets_and_events_have_one_when_they_end)
{
    serve(_i);
    const int fd = wire_open("GET /ws?secret=1 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    wire_until(fd, "\r\n\r\n");
    asks(ASK("GET /events") "\r\n");
    expect_line("\"GET /events HTTP/1.1\"", " 200 ");
    wire_close(fd);
    expect_line("\"GET /ws?secret=1 HTTP/1.1\"", " 101 0 ");
    end();
}
END_TEST

START_TEST(lines_that_cannot_be_written_as_fast_are_dropped_and_counted_and_nobody_waits)
{
    enum { MANY = 40000 };                   /* more than the log has room for, and the pipe */
    int ends[2];
    char request[128];
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(set_log(ACCESS_COMBINED, "stdout"), 0);
    ck_assert_int_eq(log_start(), 0);
    whole_server_start(_i ? MODE_THREADS : MODE_ASYNC, ROUTES, sizeof ROUTES / sizeof ROUTES[0], (const char *[]){ NULL });
    const int fd = wire_open("");
    const size_t n = (size_t)snprintf(request, sizeof request, "GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    int asked = 0;
    while (access_log_dropped() == 0 && asked++ < MANY) {
        ck_assert_int_eq(write(fd, request, n), (ssize_t)n);
        wire_until(fd, "hello");
    }
    ck_assert_uint_gt(access_log_dropped(), 0);
    wire_close(fd);
    whole_server_stop();
    log_stop();
}
END_TEST

START_TEST(behind_a_trusted_proxy_the_client_is_the_one_for_whom_it_speaks)
{
    serve_with(_i, ACCESS_COMBINED, (const char *[]){ "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1",
                                                      "TENK_SERVER_LISTEN=127.0.0.1:0,proxy_protocol=on", NULL });
    asks("PROXY UNKNOWN\r\n" ASK("GET /hello/a") "X-Forwarded-For: 192.0.2.9, 192.0.2.7\r\n\r\n");
    line_after("192.0.2.7 - - [");
    asks("PROXY TCP4 192.0.2.8 127.0.0.1 1 2\r\n" ASK("GET /hello/a") "X-Forwarded-For: 192.0.2.9\r\n\r\n");
    line_after("192.0.2.8 - - [");
    asks("PROXY TCP4 192.0.2.8 127.0.0.1 1 2\r\n" "not HTTP\r\n\r\n");
    line_after("192.0.2.8 - - [");
    asks("PROXY UNKNOWN\r\n" ASK("GET /hello/a") "\r\n");
    line_after("127.0.0.1 - - [");
    end();
}
END_TEST

/* Turned on, elsewhere, otherwise, and off: those who were there before are told of as well. */

static void serve_without(int threads)
{
    const int fd = mkstemp(log_path);
    ck_assert_int_ge(fd, 0);
    log_file = fdopen(fd, "r");
    ck_assert_int_eq(log_start(), 0);
    whole_server_start(threads ? MODE_THREADS : MODE_ASYNC, ROUTES, sizeof ROUTES / sizeof ROUTES[0], (const char *[]){ NULL });
}

static void asks_on(int fd, const char *path)
{
    char request[128];
    const size_t n = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", path);
    ck_assert_int_eq(write(fd, request, n), (ssize_t)n);
    wire_until(fd, "hello");
}

START_TEST(it_is_turned_on_for_those_who_are_connected_too)
{
    serve_without(_i);
    const int before = wire_open("");
    asks_on(before, "/hello/untold");
    ck_assert_int_eq(set_log(ACCESS_COMBINED, log_path), 0);
    asks_on(before, "/hello/1");
    expect_line("127.0.0.1 - - ", "[");
    asks(ASK("GET /hello/2") "\r\n");
    expect_line("\"GET /hello/2 HTTP/1.1\"", " 200 5 ");
    wire_close(before);
    end();
}
END_TEST

START_TEST(it_goes_elsewhere_and_otherwise_from_one_line_to_the_next)
{
    char other[64], got[ACCESS_LINE];
    serve(_i);
    snprintf(other, sizeof other, "%s.json", log_path);
    const int fd = wire_open("");
    asks_on(fd, "/hello/1");
    ck_assert_int_eq(set_log(ACCESS_JSON, other), 0);
    asks_on(fd, "/hello/2");
    expect_line("\"GET /hello/1 HTTP/1.1\"", " 200 5 ");
    log_flush();
    clearerr(log_file);
    ck_assert_ptr_null(fgets(got, sizeof got, log_file));
    FILE *const f = fopen(other, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(got, sizeof got, f));
    ck_assert_ptr_nonnull(strstr(got, "\"client\":\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/hello/2\""));
    ck_assert_ptr_null(fgets(got, sizeof got, f));
    fclose(f);
    unlink(other);
    wire_close(fd);
    end();
}
END_TEST

START_TEST(off_it_says_nothing_and_what_was_begun_then_has_a_line_without_a_path)
{
    serve(_i);
    const int fd = wire_open("");
    asks_on(fd, "/hello/1");
    ck_assert_int_eq(set_log(ACCESS_OFF, "unused"), 0);
    asks_on(fd, "/hello/2");
    const int ws = wire_open("GET /ws?secret=1 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    wire_until(ws, "101 ");
    ck_assert_int_eq(set_log(ACCESS_COMBINED, log_path), 0);
    wire_close(ws);
    expect_line("\"GET /hello/1 HTTP/1.1\"", " 200 5 ");
    ck_assert_ptr_nonnull(strstr(line_after("] \""), "\"GET /ws\"\n"));
    asks_on(fd, "/hello/3");
    expect_line("\"GET /hello/3 HTTP/1.1\"", " 200 5 ");
    wire_close(fd);
    end();
}
END_TEST

START_TEST(a_place_that_cannot_be_had_leaves_it_as_it_is)
{
    serve(_i);
    ck_assert_int_eq(set_log(ACCESS_JSON, "/nowhere/log"), UV_ENOENT);
    ck_assert_int_eq(set_log(ACCESS_JSON, "nowhere"), UV_EINVAL);
    asks(ASK("GET /hello/1") "\r\n");
    expect_line("\"GET /hello/1 HTTP/1.1\"", " 200 5 ");
    end();
}
END_TEST

static atomic_bool enough;

static void *goes_on_asking(void *arg)
{
    char got[512];
    static const char REQUEST[] = "GET /hello/1 HTTP/1.1\r\nHost: t\r\n\r\n";
    const int *const fd = arg;
    while (!atomic_load(&enough)) {
        ck_assert_int_eq(write(*fd, REQUEST, sizeof REQUEST - 1), sizeof REQUEST - 1);
        ck_assert_int_gt(read(*fd, got, sizeof got), 0);
    }
    return NULL;
}

START_TEST(while_it_changes_requests_go_on_and_lines_stay_whole)
{
    enum { ASKERS = 3, CHANGES = 60 };
    pthread_t threads[ASKERS];
    int fds[ASKERS], lines = 0;
    char line[ACCESS_LINE + 1], other[64];
    serve_without(_i);
    snprintf(other, sizeof other, "%s.other", log_path);
    for (int i = 0; i < ASKERS; i++) {
        fds[i] = wire_open("");
        pthread_create(&threads[i], NULL, goes_on_asking, &fds[i]);
    }
    for (int i = 0; i < CHANGES; i++) {
        ck_assert_int_eq(set_log(i % 3 == 2 ? ACCESS_OFF : i % 2 ? ACCESS_JSON : ACCESS_COMBINED, i % 5 ? log_path : other), 0);
        const int fd = wire_open("");        /* a connection or two in each state */
        asks_on(fd, "/hello/2");
        wire_close(fd);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        wire_close(fds[i]);
    }
    whole_server_stop();
    log_stop();
    for (; fgets(line, sizeof line, log_file); lines++) {
        const size_t n = strlen(line);
        ck_assert_msg((strncmp(line, "127.0.0.1 - - [", 15) == 0 && strcmp(line + n - 20, " \"GET /hello/:name\"\n") == 0) ||
                      (strncmp(line, "{\"time\":", 8) == 0 && strcmp(line + n - 3, "\"}\n") == 0), "%s", line);
    }
    ck_assert_int_gt(lines, 0);
    ck_assert_uint_eq(access_log_dropped(), 0);
    fclose(log_file);
    unlink(log_path);
    unlink(other);
}
END_TEST

Suite *access_log_suite(void)
{
    Suite *s = suite_create("access_log");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, an_answer_has_a_line_with_all_that_is_known, 0, 2);
    tcase_add_loop_test(t, an_id_that_is_not_fit_for_one_is_left_out, 0, 2);
    tcase_add_loop_test(t, each_request_of_a_connection_has_its_own_line_in_order, 0, 2);
    tcase_add_loop_test(t, a_long_answer_s_bytes_are_those_of_its_body_not_of_its_chunks, 0, 2);
    tcase_add_loop_test(t, errors_have_a_line_and_where_there_is_no_route_there_is_none_in_it, 0, 2);
    tcase_add_loop_test(t, what_was_refused_has_a_line_with_what_was_understood, 0, 2);
    tcase_add_loop_test(t, what_was_not_said_in_time_has_a_line_without_it, 0, 2);
    tcase_add_loop_test(t, a_client_that_there_is_no_room_for_has_a_line, 0, 2);
    tcase_add_loop_test(t, a_client_that_left_before_its_answer_is_499, 0, 2);
    tcase_add_loop_test(t, of_an_answer_that_broke_off_it_is_said, 0, 2);
    tcase_add_loop_test(t, websockets_and_events_have_one_when_they_end, 0, 2);
    tcase_add_loop_test(t, behind_a_trusted_proxy_the_client_is_the_one_for_whom_it_speaks, 0, 2);
    tcase_add_loop_test(t, it_is_turned_on_for_those_who_are_connected_too, 0, 2);
    tcase_add_loop_test(t, it_goes_elsewhere_and_otherwise_from_one_line_to_the_next, 0, 2);
    tcase_add_loop_test(t, off_it_says_nothing_and_what_was_begun_then_has_a_line_without_a_path, 0, 2);
    tcase_add_loop_test(t, a_place_that_cannot_be_had_leaves_it_as_it_is, 0, 2);
    tcase_add_loop_test(t, while_it_changes_requests_go_on_and_lines_stay_whole, 0, 2);
    tcase_add_loop_test(t, lines_that_cannot_be_written_as_fast_are_dropped_and_counted_and_nobody_waits, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
