/* pair.c - see pair.h. */
#include "pair.h"
#include "delay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SMALLEST = 16 * 1024, LARGEST = 1024 * 1024 };

static const route *the;
static pair        *dead;

void pairs_open(const route *r) { the = r; }

void die(const char *what)
{
    perror(what);
    exit(1);
}

void *need(void *memory)
{
    if (!memory)
        die("relay");
    return memory;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void watch(end *e, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = e };
    if (e->fd >= 0 && e->watched && events != e->events) {
        e->events = events;
        if (epoll_ctl(the->poller, EPOLL_CTL_MOD, e->fd, &event))
            die("epoll_ctl");
    }
}

static void update(pair *p)
{
    for (int i = 0; i < 2 && !p->dead; i++) {
        const way *from = &p->ways[i], *to = &p->ways[1 - i];
        const bool reads = !p->connecting && !from->ended && from->held < LARGEST;
        const bool writes = to->due > 0 || (p->connecting && i == 1);
        watch(&p->ends[i], (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0));
    }
}

static void pair_close(pair *p)
{
    if (p->dead)
        return;
    for (int i = 0; i < 2; i++) {
        if (p->ends[i].fd >= 0)
            close(p->ends[i].fd);
        free(p->ways[i].ring);
        p->ways[i] = (way){ .done = true };
    }
    p->dead = true;
    p->next = dead;
    dead = p;
}

void pairs_bury(void)
{
    for (pair **at = &dead; *at;) {
        pair *p = *at;
        if (p->marks > 0) {
            at = &p->next;
        } else {
            *at = p->next;
            free(p);
        }
    }
}

static void way_finish(pair *p, int which)
{
    way *w = &p->ways[which];
    free(w->ring);
    w->ring = NULL;
    w->size = w->start = w->held = w->due = 0;
    w->done = true;
    shutdown(p->ends[1 - which].fd, SHUT_WR);
    if (p->ways[1 - which].done)
        pair_close(p);
}

/* Sends what is due, as far as the other side takes it. */
static void way_send(pair *p, int which)
{
    way *w = &p->ways[which];
    if (p->connecting || w->done)
        return;
    while (w->due > 0) {
        const size_t straight = least(w->due, w->size - w->start);
        const ssize_t n = send(p->ends[1 - which].fd, w->ring + w->start, straight,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) { /* whoever should have read this has left */
            w->ended = true;
            way_finish(p, which);
            return;
        }
        w->start = (w->start + (size_t)n) % w->size;
        w->held -= (size_t)n;
        w->due -= (size_t)n;
    }
    if (w->ending) {
        way_finish(p, which);
    } else if (w->held == 0) { /* thousands of idle connections hold no rings */
        free(w->ring);
        w->ring = NULL;
        w->size = w->start = 0;
    }
}

void pair_due(pair *p, int which, size_t length)
{
    way *w = &p->ways[which];
    if (p->dead || w->done)
        return;
    if (length == 0)
        w->ending = true;
    w->due += length;
    way_send(p, which);
    update(p);
}

static void way_grow(way *w)
{
    const size_t size = w->size ? w->size * 2 : SMALLEST;
    char *ring = need(malloc(size));
    const size_t straight = least(w->held, w->size - w->start);
    if (w->ring) {
        memcpy(ring, w->ring + w->start, straight);
        memcpy(ring + straight, w->ring, w->held - straight);
    }
    free(w->ring);
    w->ring = ring;
    w->size = size;
    w->start = 0;
}

static void way_read(pair *p, int which)
{
    way *w = &p->ways[which];
    if (w->held == w->size)
        way_grow(w);
    const size_t at = (w->start + w->held) % w->size;
    const size_t room = at < w->start ? w->start - at : w->size - at;
    const ssize_t n = recv(p->ends[which].fd, w->ring + at, room, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        w->ended = true;
        delay_add(p, which, 0);
        return;
    }
    if (which == 1 && the->percent > 0)
        spoil(&w->answers, w->ring + at, (size_t)n, the->percent);
    w->held += (size_t)n;
    delay_add(p, which, (size_t)n);
}

void pair_event(end *e, uint32_t events)
{
    pair *p = e->pair;
    const int which = e == &p->ends[1];
    if (p->dead)
        return;
    if (p->connecting) {
        if (which == 0 || events & (EPOLLERR | EPOLLHUP)) {
            pair_close(p);
            return;
        }
        p->connecting = false;
    }
    if (events & (EPOLLERR | EPOLLHUP) && p->ways[which].ended) {
        /* It would be reported for ever. */
        epoll_ctl(the->poller, EPOLL_CTL_DEL, e->fd, NULL);
        e->watched = false;
    } else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP) && p->ways[which].held < LARGEST) {
        way_read(p, which);
    }
    if (!p->dead)
        way_send(p, 1 - which);
    update(p);
}

static bool end_add(pair *p, int which, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = &p->ends[which] };
    p->ends[which] = (end){ p, fd, events, true };
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return epoll_ctl(the->poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

void pair_new(int client)
{
    pair *p = need(calloc(1, sizeof *p));
    p->connecting = true;
    p->ends[1].fd = -1;
    const int other = socket(the->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (other < 0)
        die("socket");
    if (!end_add(p, 0, client, 0) || !end_add(p, 1, other, EPOLLOUT))
        die("epoll_ctl");
    if (connect(other, (const struct sockaddr *)&the->to, the->to_length) && errno != EINPROGRESS)
        pair_close(p);
}
