/* test_outage_log.c - what the log is told of a database: troubles once, refusals. */
#include "db/postgres/error.h"
#include "db/postgres/outage_log.h"
#include "server/base/log.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int        ends[2];
static pg_outage_log outage;
static PGresult  *refusal;                   /* without words: their place is empty */

/* Standard error becomes a datagram socket: what one read takes is one line. */
static void setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    log_set_level(LOG_INFO);
    outage = (pg_outage_log){ 0 };
    refusal = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
}

static void teardown(void) { PQclear(refusal); }

static const char *logged(void)              /* without time and newline; "" for nothing */
{
    static char line[4096];
    const ssize_t n = recv(ends[0], line, sizeof line - 1, MSG_DONTWAIT);
    line[n > 0 ? n - 1 : 0] = '\0';
    return n > 0 ? strchr(line, ' ') + 1 : "";
}

START_TEST(a_trouble_is_told_once_and_its_end_once)
{
    pg_outage_log_end(&outage);
    ck_assert_str_eq(logged(), "");
    pg_outage_log_begin(&outage, "lost a connection", "it hung up");
    pg_outage_log_begin(&outage, "lost a connection", "it hung up, too");
    pg_outage_log_begin(&outage, "cannot connect", "refused");
    ck_assert_str_eq(logged(), "warning: postgres: lost a connection: it hung up");
    ck_assert_str_eq(logged(), "");
    pg_outage_log_end(&outage);
    pg_outage_log_end(&outage);
    ck_assert_str_eq(logged(), "info: postgres: connected again after 0.0 s");
    ck_assert_str_eq(logged(), "");
    pg_outage_log_begin(&outage, "lost a connection", "once more");          /* another trouble */
    ck_assert_str_eq(logged(), "warning: postgres: lost a connection: once more");
}
END_TEST

START_TEST(a_refusal_is_told_with_the_statement_and_its_state)
{
    pg_error_log("add", refusal);
    ck_assert_str_eq(logged(), "error: postgres: add:  ()");
    ck_assert_str_eq(logged(), "");
}
END_TEST

Suite *outage_log_suite(void)
{
    Suite *s = suite_create("outage_log");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_trouble_is_told_once_and_its_end_once);
    tcase_add_test(t, a_refusal_is_told_with_the_statement_and_its_state);
    suite_add_tcase(s, t);
    return s;
}
