/* test_server_stop.c - what clients see of a server that stops while their answers are under way, in either mode. */
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <errno.h>
#include <sys/socket.h>

static async int say_and_wait(request *req)
{
    const int err = respond_stream(req, 200, "text/plain");
    if (!err)
        await(respond_piece(req, TEXT("first")));
    return err ? err : await(sleep_for(60000));
}

static const route ROUTES_HERE[] = { { "GET", "/", .await = say_and_wait } };

/* A client of HTTP/1.0 that has taken all there is would take the usual end of a connection for that of its answer. */
START_TEST(an_answer_whose_end_is_that_of_its_connection_is_broken_off_by_a_reset)
{
    static const mode MODES[] = { MODE_ASYNC, MODE_THREADS };
    char byte;
    whole_server_start(MODES[_i], ROUTES_HERE, 1, (const char *const[]){ "TENK_TIMEOUTS_DRAIN=20ms", NULL });
    const int client = wire_open("GET / HTTP/1.0\r\n\r\n");
    wire_until(client, "first");
    whole_server_ask_to_stop();
    ck_assert_int_eq(recv(client, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    wire_close(client);
    whole_server_stop_late();
}
END_TEST

Suite *server_stop_suite(void)
{
    Suite *s = suite_create("server_stop");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, an_answer_whose_end_is_that_of_its_connection_is_broken_off_by_a_reset, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
