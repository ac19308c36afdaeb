/* floor.c - the loop, the clock and the sockets of the floor programs. */
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int poller;
static char date[32];
static char replies[64 * 1024]; /* of one read */
static size_t replies_length;

void floor_die(const char *why)
{
    fprintf(stderr, "floor: %s\n", why);
    exit(1);
}

const char *floor_date(void) { return date; }

static void tell_the_time(void (*second_passed)(void))
{
    static time_t last;
    const time_t now = time(NULL);
    if (now == last)
        return;
    last = now;
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    if (second_passed)
        second_passed();
}

static size_t put_head(char *out, size_t size, const char *type, size_t length)
{
    return (size_t)snprintf(out, size,
                            "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: %s\r\n"
                            "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                            date, type, length);
}

size_t floor_answer_with(char *out, size_t size, const char *type, const char *body)
{
    const size_t head = put_head(out, size, type, strlen(body));
    return head + (size_t)snprintf(out + head, size - head, "%s", body);
}

void floor_reply(const char *answer, size_t length)
{
    if (replies_length + length > sizeof replies)
        floor_die("too many requests in one read");
    memcpy(replies + replies_length, answer, length);
    replies_length += length;
}

static void send_all(client *c, const char *data, size_t length)
{
    /* A client of the load generator reads before it asks again, so a socket's buffer always has
     * room. */
    if (send(c->source.fd, data, length, MSG_NOSIGNAL) != (ssize_t)length && errno != EPIPE &&
        errno != ECONNRESET)
        floor_die("a send fell short");
}

void floor_send(client *c, const char *type, char *body, size_t length)
{
    if (c->waiting > 0)
        c->waiting--;
    if (c->source.fd < 0) {
        if (c->waiting == 0)
            free(c);
        return;
    }
    char head[FLOOR_HEAD];
    const size_t size = put_head(head, sizeof head, type, length);
    memcpy(body - size, head, size);
    send_all(c, body - size, size + length);
}

void floor_switch(client *c, source *s) { c->next = s; }

static void switch_over(client *c)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c->next };
    c->next->fd = c->source.fd;
    if (epoll_ctl(poller, EPOLL_CTL_MOD, c->source.fd, &event))
        floor_die("epoll_ctl failed");
    free(c);
}

static void on_readable(source *s)
{
    client *c = (client *)s;
    const ssize_t n = recv(s->fd, c->input + c->length, sizeof c->input - (size_t)c->length, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN)
            return;
        close(s->fd);
        s->fd = -1;
        if (!c->waiting)
            free(c);
        return;
    }
    c->length += (int)n;

    const char *request = c->input, *end = c->input + c->length, *blank;
    while ((blank = memmem(request, (size_t)(end - request), "\r\n\r\n", 4))) {
        floor_answer(c, request + strlen("GET "));
        request = blank + 4;
    }
    if (replies_length > 0) {
        send_all(c, replies, replies_length);
        replies_length = 0;
    }
    if (c->next) {
        switch_over(c);
        return;
    }
    c->length = (int)(end - request);
    memmove(c->input, request, (size_t)c->length);
}

static void on_connection(source *listener)
{
    int fd;
    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        client *c = calloc(1, sizeof *c);
        if (!c)
            floor_die("out of memory");
        c->source = (source){ .fd = fd, .ready = on_readable };
        floor_watch(&c->source);
    }
}

void floor_watch(source *s)
{
    if (poller == 0)
        poller = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = s };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &event))
        floor_die("epoll_ctl failed");
}

static int listen_on(int port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 8192))
        floor_die(strerror(errno));
    return fd;
}

void floor_run(int port, void (*turn_ended)(void), void (*second_passed)(void))
{
    static source listener;
    struct epoll_event events[512];

    listener = (source){ .fd = listen_on(port), .ready = on_connection };
    floor_watch(&listener);
    for (;;) {
        const int n = epoll_wait(poller, events, 512, -1);
        tell_the_time(second_passed);
        for (int i = 0; i < n; i++) {
            source *s = events[i].data.ptr;
            s->ready(s);
        }
        if (turn_ended)
            turn_ended();
    }
}
