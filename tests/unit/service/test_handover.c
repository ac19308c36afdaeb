/* test_handover.c - who asks a tenk for its sockets gets them, one at a time. */
#include "server/service/handover.h"
#include "server/http/listen/listening_sockets.h"
#include "tests/unit/suites.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char            folder[32], path[64], why[512];
static handover_server old;

static void begin(void)
{
    strcpy(folder, "/tmp/handover-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/h", folder);
    ck_assert_msg(handover_open(&old, path, why, sizeof why) == 0, "%s", why);
}

static void end(void)
{
    handover_close(&old);
    unlink(path);
    rmdir(folder);
}

/* The next one's end of the channel. */
static int asks(void)
{
    struct sockaddr_un at;
    const socklen_t length = socket_file_address(path, &at);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, length), 0);
    handover_asked(&old, 1000);
    return fd;
}

/* Is there an answer? It has been sent when handover_asked returns; 0 is the channel's end. */
static bool is_answered(int fd)
{
    char room[256];
    const ssize_t n = recv(fd, room, sizeof room, MSG_DONTWAIT);
    ck_assert_int_ge(n, 0);
    return n > 0;
}

START_TEST(one_is_answered_and_nobody_else_meanwhile)
{
    const int one = asks();
    ck_assert(is_answered(one));
    const int other = asks();
    ck_assert(!is_answered(other));
    ck_assert_int_eq(send(one, "T", 1, 0), 1);
    ck_assert(handover_answered(&old));
    ck_assert(is_answered(one));             /* going */
    ck_assert(listening_sockets_are_handed_on());
    handover_closed(&old);
    ck_assert(is_answered(one));             /* its database is closed, while it goes on with its clients */
    close(other);
    close(one);
}
END_TEST

/* And not until it has ended: that may take longer. */
START_TEST(it_waits_until_the_database_is_closed)
{
    const handover next = { .channel = asks() };
    ck_assert(is_answered(next.channel));
    ck_assert_int_eq(send(next.channel, "T", 1, 0), 1);
    ck_assert(handover_answered(&old));
    ck_assert(is_answered(next.channel));
    handover_closed(&old);
    ck_assert_int_eq(handover_wait_closed(&next), 0);
    close(next.channel);
}
END_TEST

START_TEST(when_it_gives_up_the_next_one_is_answered)
{
    const int one = asks();
    close(one);
    ck_assert(!handover_answered(&old));
    ck_assert_int_eq(old.asking, -1);
    ck_assert(!listening_sockets_are_handed_on());
    const int other = asks();
    ck_assert(is_answered(other));
    close(other);
}
END_TEST

static int descriptors(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

enum { MANY = 300 };

START_TEST(more_sockets_than_fit_into_a_message_come_in_several)
{
    for (int i = 0; i < MANY; i++)
        listening_sockets_add(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), LISTENING_OPENED);
    const int one = asks();
    int messages = 0;
    char room[256];
    while (recv(one, room, sizeof room, MSG_DONTWAIT) > 0)
        messages++;
    ck_assert_int_eq(messages, 3);
    close(one);
}
END_TEST

START_TEST(and_all_of_them_are_taken)
{
    int status;
    for (int i = 0; i < MANY; i++)
        listening_sockets_add(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), LISTENING_OPENED);
    const pid_t next = fork();
    if (next == 0) {
        handover h;
        const int before = descriptors();
        const int err = handover_ask(&h, path, why, sizeof why);
        _exit(err ? 2 : descriptors() != before + MANY + 1); /* and the channel */
    }
    ck_assert_int_eq(poll(&(struct pollfd){ old.listening, POLLIN, 0 }, 1, -1), 1);
    handover_asked(&old, 1000);
    ck_assert_int_eq(waitpid(next, &status, 0), next);
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *handover_suite(void)
{
    Suite *s = suite_create("handover");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, one_is_answered_and_nobody_else_meanwhile);
    tcase_add_test(t, it_waits_until_the_database_is_closed);
    tcase_add_test(t, when_it_gives_up_the_next_one_is_answered);
    tcase_add_test(t, more_sockets_than_fit_into_a_message_come_in_several);
    tcase_add_test(t, and_all_of_them_are_taken);
    suite_add_tcase(s, t);
    return s;
}
