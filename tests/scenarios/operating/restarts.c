/* restarts.c - a server is replaced by another while clients ask it: none of them is refused, and none is lost. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/launch.h"
#include "tests/scenarios/support/load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK "GET /json HTTP/1.1\r\nHost: t\r\n\r\n"

enum { TIMES = 5 };

static char url[256], handover[256], port[32];

/* What all that follow one another have in common: the database, the address, and the path at which they meet. */
static void know_the_first(void)
{
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    snprintf(handover, sizeof handover, "TENK_SERVER_HANDOVER=%s/handover", here.folder);
    snprintf(port, sizeof port, "PORT=%d", here.port);
}

static void start_first(const char *workers)
{
    server_start("restarts", "--workers", workers, "TENK_SERVER_HANDOVER=handover", NULL);
    know_the_first();
}

/* The exit code of the one before. */
static int end_of(server before)
{
    const server now = here;
    here = before;
    const int code = server_wait();
    here = now;
    return code;
}

static void take_over(const char *workers)
{
    const server before = here;
    server_start("restarts", url, handover, port, "--workers", workers, NULL);
    ck_assert_msg(access(strchr(handover, '=') + 1, F_OK) == 0, "it says that it serves, and the next one cannot ask it");
    ck_assert_int_eq(here.port, before.port);
    ck_assert_int_eq(end_of(before), 0);
}

/* Visitors who keep asking, and one who only connects: a connection must never be refused. They are threads of a process of their
 * own: to start servers from one with so many is asking for trouble. */
typedef struct outcome {
    int  good[3], wrong[3];                  /* answers to readers, writers and watchers */
    int  knocked, refused;                   /* connections */
    char first_wrong[256];
} outcome;

static atomic_bool knocks = true;
static outcome     came;
static int         to_visitors, from_visitors;
static pid_t       visitors;

static void *knock(void *arg)
{
    (void)arg;
    while (knocks) {
        client *c = client_try(here.port);
        came.knocked++;
        came.refused += !c;
        client_free(c);
        pause_ms(1);
    }
    return NULL;
}

static void note(int kind, const tally *t)
{
    came.good[kind] = t->good;
    came.wrong[kind] = t->broken + t->unavailable + t->late + t->other + t->uncertain;
    if (came.wrong[kind] && !came.first_wrong[0])
        snprintf(came.first_wrong, sizeof came.first_wrong, "%d broken, %d 503, %d 504, %d 502, %d others: %.150s", t->broken,
                 t->unavailable, t->late, t->uncertain, t->other, t->first_other);
}

/* Until there is nobody any more who would tell them to stop. */
static void visit(int until, int tell)
{
    char none;
    pthread_t knocker;
    load *l = load_start(1, 1, 1);
    pthread_create(&knocker, NULL, knock, NULL);
    while (read(until, &none, 1) > 0)
        ;
    knocks = false;
    pthread_join(knocker, NULL);
    load_stop(l);
    note(0, load_readers(l));
    note(1, load_writers(l));
    note(2, load_watchers(l));
    _exit(write(tell, &came, sizeof came) != sizeof came);
}

static void begin_visits(void)
{
    int there[2], back[2];
    ck_assert(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0);
    visitors = fork();
    ck_assert_int_ge(visitors, 0);
    if (visitors == 0) {
        close(there[1]);
        close(back[0]);
        visit(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    to_visitors = there[1];
    from_visitors = back[0];
}

static void end_visits(void)
{
    close(to_visitors);
    ck_assert_int_eq(read(from_visitors, &came, sizeof came), sizeof came);
    close(from_visitors);
    waitpid(visitors, NULL, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(came.wrong[i] == 0, "%s", came.first_wrong);
        ck_assert_int_gt(came.good[i], 0);
    }
    ck_assert_msg(came.refused == 0, "%d of %d connections were refused", came.refused, came.knocked);
}

static void expect_it_serves(void)
{
    for (int i = 0; i < 20; i++)
        expect(get("/users/42"), 200, "text/html");
}

START_TEST(tenks_that_take_over_one_from_the_other_lose_no_request_whatever_their_workers)
{
    static const char *const WORKERS[TIMES] = { "1", "3", "2", "1", "2" };
    start_first("2");
    begin_visits();
    for (int i = 0; i < TIMES; i++) {
        take_over(WORKERS[i]);
        expect_it_serves();
    }
    end_visits();
    server_stop();
}
END_TEST

START_TEST(a_socket_that_the_service_manager_keeps_serves_one_tenk_after_the_other)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 4096), 0);
    next_listening(fd);
    server_start("restarts", "--workers", "2", NULL);
    know_the_first();
    begin_visits();
    for (int i = 0; i < TIMES; i++) {
        server_signal(SIGTERM);
        ck_assert_int_eq(server_wait(), 0);
        next_listening(fd);
        server_start("restarts", url, "--workers", i % 2 ? "2" : "1", NULL);    /* where it is told to listen is of no matter */
        expect_it_serves();
    }
    end_visits();
    server_stop();
    close(fd);
}
END_TEST

typedef struct queued { server before; client *last, *beside; } queued;      /* two clients of the one before */

static bool is_to_close(client *c)
{
    client_say(c, ASK);
    const answer a = client_answer(c);
    return header_is(&a, "Connection", "close");
}

/* Comes while nobody accepts: the one before does no more, and the next one waits for the file, until the last request of
 * the one before is whole. */
static void *come_between(void *arg)
{
    static char head[1024];
    const queued *q = arg;
    if (!eventually(20, is_to_close(q->beside)))
        return "nobody takes over";
    client *c = client_try(q->before.port);
    if (!c)
        return "refused";
    client_say(c, ASK);
    client_say(q->last, "b");
    const answer a = client_answer(c);
    snprintf(head, sizeof head, "%s", a.status ? a.head : "no answer");
    client_free(c);
    return head;
}

START_TEST(who_waits_in_the_queue_is_served_by_the_one_that_takes_over)
{
    pthread_t between;
    void *head = NULL;
    start_first("1");
    queued q = { here, client_new(), client_new() };
    client_say(q.last, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\na");
    expect(get("/healthz"), 200, NULL);
    pthread_create(&between, NULL, come_between, &q);
    server_start("restarts", url, handover, port, NULL);
    const answer a = client_answer(q.last);
    ck_assert_int_eq(a.status, 200);
    ck_assert_msg(header_is(&a, "Connection", "close"), "%s", a.head);
    pthread_join(between, &head);
    ck_assert_msg(strncmp(head, "HTTP/1.1 200", 12) == 0 && !strcasestr(head, "connection: close"), "%s", (char *)head);
    ck_assert_int_eq(end_of(q.before), 0);
    client_free(q.last);
    client_free(q.beside);
    server_stop();
}
END_TEST

START_TEST(one_that_cannot_start_leaves_the_one_that_serves_alone)
{
    static char output[8192];
    char folder[256];
    start_first("2");
    client *c = client_new();
    client_say(c, ASK);
    ck_assert_int_eq(client_answer(c).status, 200);
    snprintf(folder, sizeof folder, "TENK_SERVER_PID_FILE=%s/there/is/none", here.folder);
    ck_assert_int_eq(tenk_run(output, sizeof output, url, handover, port, folder, NULL), 1);
    ck_assert_msg(strstr(output, "[server] pid_file"), "%s", output);
    ck_assert(server_says("who wanted to take over has ended, or given up"));
    client_say(c, ASK);
    const answer a = client_answer(c);
    ck_assert_int_eq(a.status, 200);
    ck_assert(!header_is(&a, "Connection", "close"));
    client_free(c);
    take_over("1");                          /* and the next one may */
    expect(get("/healthz"), 200, NULL);
    server_stop();
}
END_TEST

START_TEST(the_pid_file_is_that_of_the_one_that_took_over)
{
    char file[256], pid[16];
    snprintf(file, sizeof file, "TENK_SERVER_PID_FILE=%s/taken-over.pid", run_folder());
    server_start("restarts", "TENK_SERVER_HANDOVER=handover", file, NULL);
    know_the_first();
    const server before = here;
    server_start("restarts", url, handover, port, file, NULL);
    ck_assert_int_eq(end_of(before), 0);
    FILE *f = fopen(strchr(file, '=') + 1, "r");
    ck_assert_msg(f != NULL, "it is gone");
    ck_assert_ptr_nonnull(fgets(pid, sizeof pid, f));
    fclose(f);
    ck_assert_int_eq(atoi(pid), here.pid);
    server_stop();
}
END_TEST

/* Whose file is this then? */
START_TEST(a_unix_socket_stays_where_it_is_until_the_last_one_ends)
{
    static char output[4096];
    char own[128], listen[160];
    snprintf(own, sizeof own, "unix:%.80s/handed.sock", run_folder());
    snprintf(listen, sizeof listen, "127.0.0.1:0,%s", own);
    server_start("restarts", "--workers", "2", "--listen", listen, "TENK_SERVER_HANDOVER=handover", NULL);
    know_the_first();
    for (int i = 0; i < 3; i++) {
        const server before = here;
        snprintf(listen, sizeof listen, "127.0.0.1:%d,%s", before.port, own);
        server_start("restarts", url, handover, "--listen", listen, "--workers", i % 2 ? "2" : "3", NULL);
        ck_assert_int_eq(end_of(before), 0);
        for (int n = 0; n < 6; n++)
            ck_assert_msg(tenk_run(output, sizeof output, "--healthcheck", "--listen", own, NULL) == 0, "%s", output);
    }
    server_stop();
    ck_assert_int_eq(access(strchr(own, '/'), F_OK), -1);
}
END_TEST

START_TEST(on_postgresql_one_mode_takes_over_from_the_other_and_no_request_is_lost)
{
    server_start_on_postgres("restarts", "TENK_SERVER_HANDOVER=handover", NULL);
    know_the_first();
    begin_visits();
    for (int i = 0; i < TIMES; i++) {
        const server before = here;
        server_start_on_postgres("restarts", handover, port, "--mode", i % 2 ? "async" : "threads", NULL);
        ck_assert_int_eq(end_of(before), 0);
        expect_it_serves();
    }
    end_visits();
    server_stop();
}
END_TEST

START_TEST(a_path_at_which_another_program_listens_is_said)
{
    static char output[8192];
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s/other", run_folder());
    snprintf(handover, sizeof handover, "TENK_SERVER_HANDOVER=%s/other", run_folder());
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(tenk_run(output, sizeof output, "DATABASE_URL=sqlite:tenk.db", "PORT=0", handover, NULL), 1);
    ck_assert_msg(strstr(output, "cannot take over from the tenk at"), "%s", output);
    close(fd);
    unlink(at.sun_path);
}
END_TEST

Suite *restarts_suite(void)
{
    Suite *s = suite_create("restarts");
    TCase *t = theme(s, "restarts", NULL);
    tcase_add_test(t, tenks_that_take_over_one_from_the_other_lose_no_request_whatever_their_workers);
    tcase_add_test(t, a_socket_that_the_service_manager_keeps_serves_one_tenk_after_the_other);
    tcase_add_test(t, who_waits_in_the_queue_is_served_by_the_one_that_takes_over);
    tcase_add_test(t, one_that_cannot_start_leaves_the_one_that_serves_alone);
    tcase_add_test(t, the_pid_file_is_that_of_the_one_that_took_over);
    tcase_add_test(t, a_unix_socket_stays_where_it_is_until_the_last_one_ends);
    tcase_add_test(t, on_postgresql_one_mode_takes_over_from_the_other_and_no_request_is_lost);
    tcase_add_test(t, a_path_at_which_another_program_listens_is_said);
    return s;
}
