/* service_manager.c - see service_manager.h. */
#include "service_manager.h"
#include "server/base/units.h"
#include "server/http/listen/listening_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_SOCKET = 3 };                   /* SD_LISTEN_FDS_START */

static struct sockaddr_un listens;           /* who wants to be told */
static socklen_t          listens_length;    /* 0: nobody does */
static uint64_t           watchdog_us;

/* 0 if it is not there, or no number. */
static uint64_t number_in(const char *name)
{
    const char *text = getenv(name);
    uint64_t number;
    return text && units_number(text, &number) == 0 ? number : 0;
}

static bool is_for_us(const char *name) { return number_in(name) == (uint64_t)getpid(); }

static void take_sockets(void)
{
    const uint64_t count = is_for_us("LISTEN_PID") ? number_in("LISTEN_FDS") : 0;
    for (int fd = FIRST_SOCKET; (uint64_t)fd < FIRST_SOCKET + count && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0; fd++) {
        int listening = 0;
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &(socklen_t){ sizeof listening });
        if (listening) {
            listening_sockets_add(fd, LISTENING_FROM_MANAGER);
            continue;
        }
        fprintf(stderr, "tenk: descriptor %d of LISTEN_FDS is no listening stream socket, and is not used\n", fd);
        close(fd);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

/* A path, or with @ a name of the abstract namespace. */
static void take_address(void)
{
    const char *at = getenv("NOTIFY_SOCKET");
    const size_t length = at ? strlen(at) : 0;
    if (length > 1 && length < sizeof listens.sun_path && (at[0] == '/' || at[0] == '@')) {
        listens.sun_family = AF_UNIX;
        memcpy(listens.sun_path, at, length);
        if (at[0] == '@')
            listens.sun_path[0] = '\0';
        listens_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    unsetenv("NOTIFY_SOCKET");
}

void service_manager_begin(void)
{
    take_sockets();
    take_address();
    if (!getenv("WATCHDOG_PID") || is_for_us("WATCHDOG_PID"))
        watchdog_us = number_in("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
}

void service_notify(const char *format, ...)
{
    char text[1024];
    va_list args;
    if (!listens_length)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&listens, listens_length);
    close(fd);
}

void service_notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    service_notify("RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

uint64_t service_watchdog_ms(void) { return watchdog_us / 2000; }
