/* relay.c - a link between a client and a server of this machine, slower or worse than the real one.
 *
 *   relay [ADDRESS:]PORT TO [MILLISECONDS [PERCENT]]
 *
 * It listens at PORT (of 127.0.0.1, if no address is given) and passes on to TO, a port of 127.0.0.1
 * or the path of a Unix socket. A round trip takes MILLISECONDS longer: each direction delays by
 * half, and the order of bytes stays. To connect takes no longer. Of the HTTP answers PERCENT become
 * errors: 200 is made 500.
 *
 * Every read is marked with when it is due. All wait equally long, so that one line of marks, in the
 * order of the reads, is sorted by itself, and one timer serves them all. A direction that holds
 * LARGEST bytes is not read until some have left. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SMALLEST = 16 * 1024, LARGEST = 1024 * 1024, LINE = 64, EVENTS = 512 };

typedef struct answers { /* where in the stream of HTTP answers a direction is */
    size_t at;           /* bytes of the head so far */
    size_t body;         /* bytes of the body still to come */
    size_t length;       /* of the body, as the head says */
    bool chosen;         /* to become an error */
    bool unframed;       /* no telling where it ends: nothing is changed any more */
    int column;
    char line[LINE];
} answers;

typedef struct way { /* one direction: a ring of bytes, first those that are due */
    char *ring;
    size_t size, start, held, due;
    bool ended;  /* there is no more to read */
    bool ending; /* and that is due */
    bool done;   /* and the other side has been told */
    answers answers;
} way;

typedef struct end {
    struct pair *pair;
    int fd;
    uint32_t events; /* that epoll watches for */
    bool watched;
} end;

typedef struct pair { /* ways[i] leads from ends[i] to ends[1 - i] */
    end ends[2];
    way ways[2];
    int marks; /* that still point here */
    bool connecting, dead;
    struct pair *next; /* among the dead */
} pair;

typedef struct mark {
    int64_t due; /* in nanoseconds */
    pair *pair;
    uint32_t length; /* 0: the end */
    int which;
} mark;

static struct {
    int poller, timer, listener;
    int64_t delay;
    unsigned percent, count;
    struct sockaddr_storage to;
    socklen_t to_length;
    mark *marks; /* a ring */
    size_t size, first, held;
    pair *dead;
} relay;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *need(void *memory)
{
    if (!memory)
        die("relay");
    return memory;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- HTTP answers ---- */

static void read_line(answers *a)
{
    static const char LENGTH[] = "content-length:", ENCODING[] = "transfer-encoding:";

    a->line[least((size_t)a->column, LINE - 1)] = '\0';
    if (strncasecmp(a->line, LENGTH, sizeof LENGTH - 1) == 0)
        a->length = strtoul(a->line + sizeof LENGTH - 1, NULL, 10);
    if (strncasecmp(a->line, ENCODING, sizeof ENCODING - 1) == 0)
        a->unframed = true;
}

static void read_head_byte(answers *a, char *byte)
{
    if (a->at == 0) {
        a->chosen = (relay.count + 1) * relay.percent / 100 > relay.count * relay.percent / 100;
        relay.count = (relay.count + 1) % 100;
    }
    if (a->at++ == strlen("HTTP/1.1 ") && a->chosen && *byte == '2')
        *byte = '5';
    if (*byte == '\n') {
        if (a->column == 0) {
            a->body = a->length;
            a->at = a->length = 0;
            return;
        }
        read_line(a);
        a->column = 0;
    } else if (*byte != '\r') {
        if (a->column < LINE)
            a->line[a->column] = *byte;
        a->column++;
    }
}

static void spoil(answers *a, char *bytes, size_t length)
{
    for (size_t i = 0; i < length && !a->unframed;) {
        const size_t body = least(a->body, length - i);
        a->body -= body;
        i += body;
        if (i < length)
            read_head_byte(a, &bytes[i++]);
    }
}

/* ---- pairs ---- */

static void watch(end *e, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = e };
    if (e->fd >= 0 && e->watched && events != e->events) {
        e->events = events;
        if (epoll_ctl(relay.poller, EPOLL_CTL_MOD, e->fd, &event))
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
    p->next = relay.dead;
    relay.dead = p;
}

static void bury(void)
{
    for (pair **at = &relay.dead; *at;) {
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

static void mark_due(const mark *m)
{
    way *w = &m->pair->ways[m->which];
    if (m->pair->dead || w->done)
        return;
    if (m->length == 0)
        w->ending = true;
    w->due += m->length;
    way_send(m->pair, m->which);
    update(m->pair);
}

static void mark_add(pair *p, int which, size_t length)
{
    const mark m = { now() + relay.delay, p, (uint32_t)length, which };
    if (relay.delay == 0) {
        mark_due(&m);
        return;
    }
    if (relay.held == relay.size) {
        const size_t grown = relay.size ? relay.size * 2 : 1024;
        mark *marks = need(malloc(grown * sizeof *marks));
        for (size_t i = 0; i < relay.held; i++)
            marks[i] = relay.marks[(relay.first + i) % relay.size];
        free(relay.marks);
        relay.marks = marks;
        relay.size = grown;
        relay.first = 0;
    }
    relay.marks[(relay.first + relay.held++) % relay.size] = m;
    p->marks++;
}

static void deliver(void)
{
    while (relay.held > 0 && relay.marks[relay.first].due <= now()) {
        const mark m = relay.marks[relay.first];
        relay.first = (relay.first + 1) % relay.size;
        relay.held--;
        m.pair->marks--;
        mark_due(&m);
    }
    struct itimerspec at = { 0 };
    if (relay.held > 0) {
        at.it_value.tv_sec = relay.marks[relay.first].due / 1000000000;
        at.it_value.tv_nsec = relay.marks[relay.first].due % 1000000000;
    }
    timerfd_settime(relay.timer, TFD_TIMER_ABSTIME, &at, NULL);
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
        mark_add(p, which, 0);
        return;
    }
    if (which == 1 && relay.percent > 0)
        spoil(&w->answers, w->ring + at, (size_t)n);
    w->held += (size_t)n;
    mark_add(p, which, (size_t)n);
}

static void on_event(end *e, uint32_t events)
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
        epoll_ctl(relay.poller, EPOLL_CTL_DEL, e->fd, NULL);
        e->watched = false;
    } else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP) && p->ways[which].held < LARGEST) {
        way_read(p, which);
    }
    if (!p->dead)
        way_send(p, 1 - which);
    update(p);
}

/* ---- connections ---- */

static bool end_add(pair *p, int which, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = &p->ends[which] };
    p->ends[which] = (end){ p, fd, events, true };
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return epoll_ctl(relay.poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void on_client(int fd)
{
    pair *p = need(calloc(1, sizeof *p));
    p->connecting = true;
    p->ends[1].fd = -1;
    const int other = socket(relay.to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (other < 0)
        die("socket");
    if (!end_add(p, 0, fd, 0) || !end_add(p, 1, other, EPOLLOUT))
        die("epoll_ctl");
    if (connect(other, (struct sockaddr *)&relay.to, relay.to_length) && errno != EINPROGRESS)
        pair_close(p);
}

static void take_clients(void)
{
    for (;;) {
        const int fd = accept4(relay.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            on_client(fd);
        else if (errno == EAGAIN)
            return;
        else if (errno != ECONNABORTED && errno != EINTR)
            die("accept");
    }
}

static struct sockaddr_in tcp(const char *address, const char *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    if (inet_pton(AF_INET, address, &in.sin_addr) != 1 || in.sin_port == 0) {
        fprintf(stderr, "relay: no such address: %s:%s\n", address, port);
        exit(2);
    }
    return in;
}

static void set_destination(const char *to)
{
    if (*to == '/') {
        struct sockaddr_un *path = (struct sockaddr_un *)&relay.to;
        if (strlen(to) >= sizeof path->sun_path) {
            fprintf(stderr, "relay: too long a path: %s\n", to);
            exit(2);
        }
        path->sun_family = AF_UNIX;
        memcpy(path->sun_path, to, strlen(to) + 1);
        relay.to_length = sizeof *path;
    } else {
        const struct sockaddr_in in = tcp("127.0.0.1", to);
        memcpy(&relay.to, &in, sizeof in);
        relay.to_length = sizeof in;
    }
}

static void listen_at(char *where)
{
    char *colon = strrchr(where, ':');
    if (colon)
        *colon = '\0';
    const struct sockaddr_in in = colon ? tcp(where, colon + 1) : tcp("127.0.0.1", where);
    relay.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(relay.listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(relay.listener, (const struct sockaddr *)&in, sizeof in) || listen(relay.listener, 65535))
        die("listen");
}

static void add_plain(int *fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };
    if (epoll_ctl(relay.poller, EPOLL_CTL_ADD, *fd, &event))
        die("epoll_ctl");
}

int main(int argc, char *argv[])
{
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "relay [ADDRESS:]PORT TO [MILLISECONDS [PERCENT]]\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    relay.delay = argc > 3 ? (int64_t)(atof(argv[3]) / 2 * 1000000) : 0;
    relay.percent = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
    set_destination(argv[2]);
    listen_at(argv[1]);
    relay.poller = epoll_create1(EPOLL_CLOEXEC);
    relay.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    add_plain(&relay.listener);
    add_plain(&relay.timer);

    for (;;) {
        struct epoll_event events[EVENTS];
        const int n = epoll_wait(relay.poller, events, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &relay.listener)
                take_clients();
            else if (events[i].data.ptr != &relay.timer)
                on_event(events[i].data.ptr, events[i].events);
        }
        deliver();
        bury();
    }
}
