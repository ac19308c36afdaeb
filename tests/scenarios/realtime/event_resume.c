/* event_resume.c - GET /events/users/ID: a post reaches who listens, and who has lost its connection gets all that it has
 * missed, in order and once, wherever that is kept; on both databases, and on two servers with one. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/events.h"
#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/postgres.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool postgres_here;                   /* is the server's database that of all, or its own? */

static void start(const char *setting, const char *other)
{
    (postgres_here ? server_start_on_postgres : server_start)("event-resume", setting, other, NULL);
}

static void start_again(void)
{
    char url[256];
    ck_assert_int_eq(server_wait(), 0);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    if (postgres_here)
        server_start_on_postgres("event-resume", NULL);
    else
        server_start("event-resume", url, NULL);
}

/* To whom nobody else posts, for all themes share a database, and nothing may have been published of it before: of its own for
 * each test, for up to eight in one. */
static int a_user(void)
{
    static int users;
    return 2000 + (int)(getpid() % 900) * 8 + users++;
}

static void post_number(int user, int number, size_t length)
{
    static char json[8192];
    char path[64];
    ck_assert_uint_lt(length + 64, sizeof json);
    const int head = snprintf(json, sizeof json, "{\"title\":\"number %d\",\"body\":\"", number);
    memset(json + head, 'x', length);
    strcpy(json + head + length, "\"}");
    snprintf(path, sizeof path, "/users/%d/posts", user);
    ck_assert_int_eq(post(path, "application/json", json).status, 201);
}

static void post_numbers(int user, int from, int to)
{
    for (int i = from; i < to; i++)
        post_number(user, i, 1);
}

/* after "": here for the first time. What comes first is when to come back. */
static client *listen_as(client *c, int user, const char *after)
{
    char request[256];
    snprintf(request, sizeof request, "GET /events/users/%d HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%s%s%s\r\n", user,
             *after ? "Last-Event-ID: " : "", after, *after ? "\r\n" : "");
    client_say(c, request);
    return c;
}

static client *listen_to(int user, const char *after) { return listen_as(client_new(), user, after); }

static void last_id(const char *came, char id[24])
{
    for (const char *at = came; (at = strstr(at, "id: ")); at++)
        snprintf(id, 24, "%.*s", (int)strspn(at + 4, "0123456789"), at + 4);
}

/* With the id that it could come back with, if it lost its connection now. */
static client *begin_listening(int user, char id[24])
{
    client *c = listen_to(user, "");
    events_until(c, "retry: ");
    last_id(events_until(c, "id: "), id);
    const char *came = events_until(c, "\n\n");
    snprintf(id, 24, "%.*s", (int)strspn(came, "0123456789"), came);
    return c;
}

/* Up to that number's post; they are those from there on, each once and in order, and ids grow. */
static void expect_numbers(client *c, int from, int to, char id[24])
{
    for (int i = from; i < to; i++) {
        char title[48], before[24];
        snprintf(before, sizeof before, "%s", id);
        snprintf(title, sizeof title, "\"title\":\"number %d\"", i);
        const char *came = events_until(c, "\"title\":\"");
        last_id(came, id);
        ck_assert_msg(strstr(came, "\nevent: post\ndata: {\"id\":") && atoll(id) > atoll(before), "%s, behind %s", came, before);
        came = events_until(c, "\"");
        ck_assert_msg(strncmp(came, title + strlen("\"title\":\""), strlen(came)) == 0, "%s, and not %s", came, title);
    }
    events_until(c, "\n\n");
}

START_TEST(a_post_reaches_who_listens_and_nobody_else)
{
    const int user = a_user(), other = a_user();
    char id[24], others[24];
    start("TENK_EVENTS_HEARTBEAT=100ms", NULL);
    client *c = begin_listening(user, id), *beside = begin_listening(other, others);
    post_number(user, 7, 1);
    expect_numbers(c, 7, 8, id);
    post_number(other, 1, 1);
    expect_numbers(beside, 1, 2, others);
    client_free(c);
    client_free(beside);
    server_stop();
}
END_TEST

/* The topic's memory is gone, and the outbox is there. */
START_TEST(who_comes_back_after_a_restart_has_missed_nothing)
{
    const int user = a_user();
    char id[24], never[24];
    start(NULL, NULL);
    client *without = begin_listening(user, never), *c = begin_listening(user, id);
    post_numbers(user, 0, 3);
    expect_numbers(c, 0, 3, id);
    post_numbers(user, 3, 30);
    server_signal(SIGTERM);
    client_drain(c);
    client_free(c);
    client_drain(without);
    client_free(without);
    start_again();
    c = listen_to(user, id);
    expect_numbers(c, 3, 30, id);
    post_number(user, 30, 1);
    expect_numbers(c, 30, 31, id);
    without = listen_to(user, never);        /* whose connection was lost before it had an event */
    expect_numbers(without, 0, 31, never);
    client_free(c);
    client_free(without);
    server_stop();
}
END_TEST

/* Without waiting for answers. */
static client *post_burst(int user, int from, int to)
{
    client *c = client_new();
    char json[64], request[256];
    for (int i = from; i < to; i++) {
        snprintf(json, sizeof json, "{\"title\":\"number %d\",\"body\":\"x\"}", i);
        snprintf(request, sizeof request, "POST /users/%d/posts HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s", user, strlen(json), json);
        client_say(c, request);
    }
    return c;
}

/* And while it is read, more is published: what comes both ways comes once. */
START_TEST(what_the_topic_keeps_no_more_comes_from_the_outbox)
{
    enum { MANY = 90, KEEP = 32 };
    const int user = a_user();
    char ids[MANY][24], id[24];
    start("TENK_TOPICS_KEEP=32", NULL);
    client *c = begin_listening(user, id);
    for (int i = 0; i < MANY; i++) {
        post_number(user, i, 1);
        expect_numbers(c, i, i + 1, id);
        strcpy(ids[i], id);
    }
    client_free(c);
    static const int froms[] = { 0, 19, 20, 49, MANY - KEEP - 2, MANY - KEEP - 1, MANY - 1 };
    enum { FROMS = sizeof froms / sizeof *froms };
    static const int bursts[] = { 0, 20, 20, 0, 20 };        /* published while it is read; no more than are kept */
    int there = MANY;
    for (size_t b = 0; b < sizeof bursts / sizeof *bursts; b++, there++) {
        client *back[FROMS], *burst = post_burst(user, there, there + bursts[b]);
        char last[FROMS][24];
        for (int n = 0; n < FROMS; n++)
            back[n] = listen_to(user, ids[froms[n]]);
        there += bursts[b];
        for (int n = 0; n < FROMS; n++) {
            strcpy(last[n], ids[froms[n]]);
            expect_numbers(back[n], froms[n] + 1, there, last[n]);
        }
        post_number(user, there, 1);
        for (int n = 0; n < FROMS; n++) {
            expect_numbers(back[n], there, there + 1, last[n]);
            client_free(back[n]);
        }
        client_free(burst);
    }
    c = listen_to(user, "0");
    strcpy(id, "0");
    expect_numbers(c, 0, there, id);
    client_free(c);
    server_stop();
}
END_TEST

static int64_t figure(const char *of, const char *name)
{
    json_t *stats = json_in(get("/stats"), 200);
    const int64_t n = number_of(json_object_get(stats, of), name);
    json_decref(stats);
    return n;
}

START_TEST(who_was_away_for_longer_than_the_outbox_keeps_is_told_so)
{
    enum { MANY = 30, KEPT = 5 };
    const int user = a_user();
    char id[24], missed[80];
    bool told = false;
    start("TENK_OUTBOX_KEEP=5", "TENK_TOPICS_KEEP=1");
    client *c = begin_listening(user, id);
    post_number(user, 0, 1);
    expect_numbers(c, 0, 1, id);
    client_free(c);
    post_numbers(user, 1, MANY);
    ck_assert(eventually(10, figure("topics", "published") == MANY));
    snprintf(missed, sizeof missed, "event: missed\ndata: {\"after\":%s}\n\n", id);
    const double end = now_s() + 60;
    while (!told && now_s() < end) {
        c = listen_to(user, id);
        char first[24];
        const char *came = events_until(c, "number ");
        told = strstr(came, missed);
        last_id(came, first);
        came = events_until(c, "\"");
        ck_assert_msg(told == (atoi(came) > 1), "%d, and it is %stold", atoi(came), told ? "" : "not ");
        if (told)
            expect_numbers(c, atoi(came) + 1, MANY, first);
        client_free(c);
        pause_ms(told ? 0 : 50);
    }
    ck_assert(told);
    ck_assert_int_gt(figure("outbox", "pruned"), atoll(id));
    ck_assert(eventually(10, figure("outbox", "lag_ms") == 0 && figure("outbox", "behind") == 0));
    ck_assert_int_ge(figure("outbox", "position"), MANY);
    c = listen_to(user, "0");                /* all that there is */
    ck_assert_ptr_null(strstr(events_until(c, "number 29"), "missed"));
    client_free(c);
    server_stop();
}
END_TEST

START_TEST(an_id_that_was_never_given_is_answered_so_and_what_comes_comes)
{
    const int user = a_user();
    char id[24];
    start(NULL, NULL);
    client *c = listen_to(user, "900000000000000");
    last_id(events_until(c, "event: missed\ndata: {\"after\":900000000000000}\n\n"), id);
    strcpy(id, "0");
    post_number(user, 3, 1);
    expect_numbers(c, 3, 4, id);
    ck_assert_int_lt(atoll(id), 900000000000000);
    client_free(c);
    server_stop();
}
END_TEST

/* What the topic keeps no more by then, comes from the outbox. */
START_TEST(who_reads_too_slowly_gets_all_in_the_end)
{
    enum { MANY = 800, LENGTH = 8000 };      /* more than the kernel takes for a socket */
    const int user = a_user();
    char id[24] = "0";
    start("TENK_TOPICS_KEEP=64", "TENK_TIMEOUTS_WRITE=5m"); /* however slow the machine is: its client is there */
    client *c = listen_as(client_small(4096), user, "");
    events_until(c, "id: ");
    for (int i = 0; i < MANY; i++)
        post_number(user, i, LENGTH);
    ck_assert(eventually(10, figure("topics", "published") == MANY));
    expect_numbers(c, 0, MANY, id);
    post_number(user, MANY, 1);
    expect_numbers(c, MANY, MANY + 1, id);
    client_free(c);
    ck_assert_int_ge(figure("topics", "disconnected"), 1);
    server_stop();
}
END_TEST

/* More is handed out at once than the topic keeps: who reads all the time has all of it. */
START_TEST(who_keeps_up_with_more_at_once_than_a_topic_keeps_loses_nothing)
{
    enum { MANY = 300 };
    const int user = a_user();
    char id[24], others[24];
    start("TENK_TOPICS_KEEP=1", NULL);
    client *c = begin_listening(user, id), *beside = begin_listening(user, others);
    client *burst = post_burst(user, 0, MANY);
    expect_numbers(c, 0, MANY, id);
    expect_numbers(beside, 0, MANY, others);
    post_number(user, MANY, 1);
    expect_numbers(c, MANY, MANY + 1, id);
    client_free(burst);
    client_free(c);
    client_free(beside);
    server_stop();
}
END_TEST

/* Its server may know the database, or have been started without. */
START_TEST(while_the_outbox_cannot_be_read_clients_are_sent_away_and_come_back_for_all)
{
    const int user = a_user();
    char id[24];
    postgres_here = true;
    start("TENK_DATABASE_LINE_TIMEOUT=200ms", NULL);
    client *c = begin_listening(user, id);
    client_free(c);
    post_numbers(user, 0, 3);
    char url[300];
    snprintf(url, sizeof url, "DATABASE_URL=%s", postgres_url());
    ck_assert(eventually(10, figure("outbox", "behind") == 0 && figure("topics", "published") == 3));
    for (int again = 0; again < 2; again++) {
        if (again) {
            server_stop();
            cluster_stop(postgres());
            server_start("event-resume", url, NULL);
        } else {
            cluster_stop(postgres());
        }
        c = listen_to(user, again ? id : "1");
        const char *came = events_until(c, LAST_CHUNK);
        ck_assert_msg(events_retry(came) >= 2000 && events_retry(came) < 10000 && !strstr(came, "id: "), "%s", came);
        client_free(c);
        cluster_start(postgres());
    }
    ck_assert(eventually(30, figure("outbox", "position") > 0));
    c = listen_to(user, id);
    expect_numbers(c, 0, 3, id);
    client_free(c);
    server_stop();
}
END_TEST

/* Two servers on one database. */

static server pair[2];

static void start_pair(void)
{
    for (int i = 0; i < 2; i++) {
        server_start_on_postgres("event-pair", NULL);
        pair[i] = here;
    }
}

static void stop_pair(void)
{
    for (int i = 0; i < 2; i++) {
        here = pair[i];
        server_stop();
    }
}

START_TEST(a_post_at_one_server_reaches_who_listens_at_the_other)
{
    enum { MANY = 40 };
    const int user = a_user();
    char id[24];
    start_pair();
    here = pair[0];
    client *c = begin_listening(user, id);
    here = pair[1];
    post_numbers(user, 0, MANY);
    expect_numbers(c, 0, MANY, id);
    client_free(c);
    stop_pair();
}
END_TEST

START_TEST(who_loses_one_server_goes_on_at_the_other)
{
    enum { MANY = 60 };
    const int user = a_user();
    char id[24];
    start_pair();
    here = pair[0];
    client *c = begin_listening(user, id);
    post_numbers(user, 0, MANY);
    expect_numbers(c, 0, 5, id);
    server_kill();
    client_free(c);
    here = pair[1];
    c = listen_to(user, id);
    post_numbers(user, MANY, MANY + 5);
    expect_numbers(c, 5, MANY + 5, id);
    client_free(c);
    server_stop();
}
END_TEST

static void on_sqlite(void)   { postgres_here = false; }
static void on_postgres(void) { postgres_here = true; }

static void add_tests(TCase *t)
{
    tcase_add_test(t, a_post_reaches_who_listens_and_nobody_else);
    tcase_add_test(t, who_comes_back_after_a_restart_has_missed_nothing);
    tcase_add_test(t, what_the_topic_keeps_no_more_comes_from_the_outbox);
    tcase_add_test(t, an_id_that_was_never_given_is_answered_so_and_what_comes_comes);
    tcase_add_test(t, who_reads_too_slowly_gets_all_in_the_end);
    tcase_add_test(t, who_keeps_up_with_more_at_once_than_a_topic_keeps_loses_nothing);
    tcase_add_test(t, who_was_away_for_longer_than_the_outbox_keeps_is_told_so);
}

Suite *event_resume_suite(void)
{
    Suite *s = suite_create("event_resume");
    add_tests(theme(s, "event-sqlite", on_sqlite));
    TCase *t = postgres_theme(s, "event-postgres");
    tcase_add_checked_fixture(t, on_postgres, NULL);
    add_tests(t);
    t = postgres_theme(s, "event-pair");
    tcase_add_test(t, a_post_at_one_server_reaches_who_listens_at_the_other);
    tcase_add_test(t, who_loses_one_server_goes_on_at_the_other);
    tcase_add_test(t, while_the_outbox_cannot_be_read_clients_are_sent_away_and_come_back_for_all);
    return s;
}
