/* generator.c - see generator.h. */
#include "generator.h"
#include "server/base/net/address.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/thread.h"

#include <errno.h>
#include <llhttp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
    CONNECTING = 256,                        /* at once: fewer than any listening socket has room for */
    EVENTS = 256,                            /* of one turn */
    PAUSE_MS = 200,                          /* after a 503 */
    READ = 16 * 1024,
};

typedef struct load_connection {
    int              fd;                     /* -1: it is closed */
    bool             connecting, held, measured;     /* measured: it was sent since generator_measure */
    uint32_t         number;                 /* of requests that it has sent */
    uint64_t         since;                  /* uv_hrtime, of that; of one that pauses: when it sends again */
    list_node        pausing;
    int              waits_ms;               /* that it asked for */
    llhttp_t         parser;
} load_connection;

struct generator {
    generator_options options;
    struct sockaddr_storage to;
    socklen_t        to_length;
    char             host[ADDRESS_TEXT];
    pthread_t        thread;
    int              epoll, ending;          /* descriptors */
    llhttp_settings_t on;
    pthread_mutex_t  lock;                   /* of all that follows; not held while it waits */
    generator_view   view;
    bool             measures, ended;
    uint64_t         measured_since;
    int              next, connecting;       /* of connections: the next to be opened, and how many are being */
    fifo             pauses;                 /* in the order in which they end */
    load_connection  connections[];
};

static generator *generator_of(load_connection *c) { return c->parser.data; }

static void load_close(generator *g, load_connection *c)
{
    const struct linger reset = { .l_onoff = 1 };
    if (c->fd < 0)
        return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(c->fd);
    c->fd = -1;
    g->view.open -= !c->connecting;
    g->connecting -= c->connecting;
    g->view.held -= c->held;
    c->connecting = c->held = false;
    if (list_has(&c->pausing))
        fifo_remove(&g->pauses, &c->pausing);
}

/* The server has closed it, or never took it. */
static void load_lost(generator *g, load_connection *c)
{
    if (c->fd < 0)
        return;
    if (c->held && g->measures)
        g->view.failed++;
    g->view.turned_away++;
    load_close(g, c);
}

static void load_send(generator *g, load_connection *c)
{
    char request[512], number[16] = "";
    const uint32_t index = (uint32_t)(c - g->connections);
    const generated *r = &g->options.requests[(index + c->number) % (uint32_t)g->options.kinds];
    const bool first = c->number < (uint32_t)g->options.kinds;
    c->waits_ms = r->waits_ms && first ? (int)(index * 7919 % (uint32_t)r->waits_ms) + 1 : r->waits_ms;
    const int plain = (int)(r->waits_ms || r->most ? strlen(r->path) - 2 : strlen(r->path));
    if (r->waits_ms)
        snprintf(number, sizeof number, "%d", c->waits_ms);
    else if (r->most)
        snprintf(number, sizeof number, "%u", (index * 7 + c->number) % (unsigned)r->most + 1);
    const int length = snprintf(request, sizeof request, "GET %.*s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tenk-compare\r\n"
                                                         "Accept: text/html\r\n\r\n", plain, r->path, number, g->host);
    c->number++;
    c->since = uv_hrtime();
    c->measured = g->measures;
    c->held = true;
    g->view.held++;
    if (send(c->fd, request, (size_t)length, MSG_NOSIGNAL) != length)        /* into an empty socket it fits as a whole */
        load_lost(g, c);
}

static void load_pause(generator *g, load_connection *c)
{
    c->since = uv_hrtime() + PAUSE_MS * 1000000;
    fifo_append(&g->pauses, &c->pausing);
}

/* An answer is whole. */
static int load_on_answer(llhttp_t *parser)
{
    load_connection *c = container_of(parser, load_connection, parser);
    generator *g = generator_of(c);
    const uint64_t took = (uv_hrtime() - c->since) / 1000, asked = (uint64_t)c->waits_ms * 1000;
    const bool good = parser->status_code == 200, refused = parser->status_code == 503;
    c->held = false;
    g->view.held--;
    if (g->measures) {
        g->view.answers += good;
        g->view.refused += refused;
        g->view.failed += !good && !refused;
        if (good && c->measured)
            latencies_add(&g->view.latencies, took > asked ? took - asked : 0);
    }
    if (good)
        load_send(g, c);
    else
        load_pause(g, c);
    return 0;
}

static void load_read(generator *g, load_connection *c)
{
    static _Thread_local char bytes[READ];
    const ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* A refusal of a connection comes before it has asked: that is what it is, and no answer. */
    if (n <= 0 || llhttp_execute(&c->parser, bytes, (size_t)n) != HPE_OK)
        load_lost(g, c);
}

static void load_connected(generator *g, load_connection *c)
{
    int err = 0;
    socklen_t length = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &length);
    if (err) {
        load_lost(g, c);
        return;
    }
    c->connecting = false;
    g->connecting--;
    g->view.open++;
    epoll_ctl(g->epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
    load_send(g, c);
}

/* Those that there is room for: true if one has been begun. */
static bool load_open(generator *g)
{
    load_connection *c = &g->connections[g->next];
    const int on = 1;
    const int fd = socket(g->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        g->view.no_files = true;
        g->view.turned_away += g->options.connections - g->next;
        g->next = g->options.connections;
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    g->next++;
    c->connecting = true;
    g->connecting++;
    llhttp_init(&c->parser, HTTP_RESPONSE, &g->on);
    c->parser.data = g;
    if (connect(fd, (const struct sockaddr *)&g->to, g->to_length) && errno != EINPROGRESS) {
        load_lost(g, c);
        return true;
    }
    epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLOUT, .data.ptr = c });
    return true;
}

/* Until the next pause ends: milliseconds, -1 if there is none. */
static int generator_end_pauses(generator *g)
{
    const uint64_t now = uv_hrtime();
    while (g->pauses.first) {
        load_connection *c = container_of(g->pauses.first, load_connection, pausing);
        if (c->since > now)
            return (int)((c->since - now) / 1000000 + 1);
        fifo_remove(&g->pauses, &c->pausing);
        load_send(g, c);
    }
    return -1;
}

static uint64_t thread_cpu(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void *generator_run(void *arg)
{
    generator *g = arg;
    struct epoll_event events[EVENTS];
    pthread_mutex_lock(&g->lock);
    while (!g->ended) {
        while (g->next < g->options.connections && g->connecting < CONNECTING && load_open(g))
            ;
        const int wait = generator_end_pauses(g);
        g->view.cpu = thread_cpu();
        pthread_mutex_unlock(&g->lock);
        const int n = epoll_wait(g->epoll, events, EVENTS, wait);
        pthread_mutex_lock(&g->lock);
        for (int i = 0; i < n; i++) {
            load_connection *c = events[i].data.ptr;
            if (!c)                          /* it shall end */
                continue;
            if (c->connecting)
                load_connected(g, c);
            else
                load_read(g, c);
        }
    }
    for (int i = 0; i < g->options.connections; i++)
        load_close(g, &g->connections[i]);
    g->view.cpu = thread_cpu();
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

static int generator_resolve(generator *g, const char *url)
{
    address a;
    char port[16];
    struct addrinfo *found, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    const size_t scheme = strlen("http://");
    if (strncmp(url, "http://", scheme) != 0 || address_parse(&a, url + scheme) || !address_is_loopback(&a))
        return UV_EINVAL;
    snprintf(port, sizeof port, "%d", a.port);
    if (getaddrinfo(a.host, port, &hints, &found))
        return UV_EINVAL;
    memcpy(&g->to, found->ai_addr, found->ai_addrlen);
    g->to_length = found->ai_addrlen;
    freeaddrinfo(found);
    address_write(&a, g->host);
    return 0;
}

static void generator_free(generator *g)
{
    if (g->epoll >= 0)
        close(g->epoll);
    if (g->ending >= 0)
        close(g->ending);
    pthread_mutex_destroy(&g->lock);
    mem_free(g);
}

int generator_start(generator **started, const generator_options *o)
{
    generator *g = mem_alloc(sizeof *g + (size_t)o->connections * sizeof g->connections[0]);
    g->options = *o;
    pthread_mutex_init(&g->lock, NULL);
    llhttp_settings_init(&g->on);
    g->on.on_message_complete = load_on_answer;
    for (int i = 0; i < o->connections; i++)
        g->connections[i].fd = -1;           /* and the memory is touched, before anything is measured */
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    g->ending = eventfd(0, EFD_CLOEXEC);
    int err = generator_resolve(g, o->address);
    if (!err && (g->epoll < 0 || g->ending < 0))
        err = UV_EMFILE;
    if (!err)
        epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->ending, &(struct epoll_event){ .events = EPOLLIN });
    if (!err)
        err = thread_start(&g->thread, generator_run, g);
    if (err) {
        generator_free(g);
        return err;
    }
    *started = g;
    return 0;
}

bool generator_is_open(generator *g)
{
    pthread_mutex_lock(&g->lock);
    const bool open = g->next == g->options.connections && g->connecting == 0;
    pthread_mutex_unlock(&g->lock);
    return open;
}

void generator_measure(generator *g)
{
    pthread_mutex_lock(&g->lock);
    g->measures = true;
    g->measured_since = uv_hrtime();
    g->view.answers = g->view.refused = g->view.failed = 0;
    g->view.latencies = (latencies){ 0 };
    pthread_mutex_unlock(&g->lock);
}

void generator_look(generator *g, generator_view *v)
{
    pthread_mutex_lock(&g->lock);
    g->view.ns = g->measures ? uv_hrtime() - g->measured_since : 0;
    *v = g->view;
    pthread_mutex_unlock(&g->lock);
}

void generator_stop(generator *g, generator_view *last)
{
    pthread_mutex_lock(&g->lock);
    g->view.ns = g->measures ? uv_hrtime() - g->measured_since : 0;
    g->ended = true;
    pthread_mutex_unlock(&g->lock);
    eventfd_write(g->ending, 1);
    pthread_join(g->thread, NULL);
    *last = g->view;
    generator_free(g);
}
