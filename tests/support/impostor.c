/* impostor.c - see impostor.h. As much of the protocol's version 3 as libpq wants to see. */
#include "impostor.h"
#include "loopback.h"

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct { pthread_t thread; int listener; const char *answer; size_t length; } impostor;

static bool take(int fd, void *to, size_t length)
{
    return length == 0 || recv(fd, to, length, MSG_WAITALL) == (ssize_t)length;
}

/* What follows the length, which counts itself. */
static bool skip_body(int fd)
{
    char body[8192];
    uint32_t length;
    if (!take(fd, &length, sizeof length))
        return false;
    length = ntohl(length) - (uint32_t)sizeof length;
    return length <= sizeof body && take(fd, body, length);
}

static void say(int fd, const char *bytes, size_t length) { send(fd, bytes, length, MSG_NOSIGNAL); }

#define SAY(fd, bytes) say(fd, bytes, sizeof bytes - 1)

static void answer(int fd, char asked)
{
    switch (asked) {
    case 'P': SAY(fd, "1\0\0\0\4"); break;                   /* Parse, Bind, Describe, Execute, Sync */
    case 'B': SAY(fd, "2\0\0\0\4"); break;
    case 'D': SAY(fd, "n\0\0\0\4"); break;
    case 'E': say(fd, impostor.answer, impostor.length); break;
    case 'S': SAY(fd, "Z\0\0\0\5I"); break;
    case 'Q': SAY(fd, "I\0\0\0\4Z\0\0\0\5I"); break;         /* is there a server? */
    }
}

static void *serve(void *arg)
{
    for (int fd; (fd = accept(impostor.listener, NULL, NULL)) >= 0; close(fd)) {
        if (!skip_body(fd))                  /* who it is */
            continue;
        SAY(fd, "R\0\0\0\10\0\0\0\0Z\0\0\0\5I");
        for (char asked; take(fd, &asked, 1) && skip_body(fd);)
            answer(fd, asked);
    }
    return arg;
}

int impostor_new(const char *answer, size_t length)
{
    int port;
    impostor.answer = answer;
    impostor.length = length;
    impostor.listener = loopback_listen(16, &port);
    ck_assert_int_eq(pthread_create(&impostor.thread, NULL, serve, NULL), 0);
    return port;
}

void impostor_end(void)
{
    shutdown(impostor.listener, SHUT_RD);    /* ends its accept */
    pthread_join(impostor.thread, NULL);
    close(impostor.listener);
}
