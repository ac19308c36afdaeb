/* loopback.c - see loopback.h. */
#include "loopback.h"
#include "server/async/loop.h"
#include "server/base/net/address.h"
#include "server/base/memory.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

enum { MOST_BYTES = 4096, MOST_MESSAGES = 32 };

struct loopback {
    arena                  *arena;
    int                     fd;
    short                   waits_for;       /* POLLOUT while it is being connected, then POLLIN */
    struct loopback_watch  *watch;           /* on a loop, once it has waited */
    wslay_event_context_ptr wslay;           /* NULL: events */
    char                    bytes[MOST_BYTES + 1];           /* come, and not used; terminated */
    size_t                  length;
    text                    messages[MOST_MESSAGES];
    int                     first, count;
    bool                    ended;
};

/* On a loop: it outlives the loopback until libuv has let go of it. */
typedef struct loopback_watch {
    uv_poll_t uv;
    promise  *waiting;
} loopback_watch;

static void loopback_on_ready(uv_poll_t *uv, int status, int events)
{
    loopback_watch *w = uv->data;
    (void)status, (void)events;              /* whatever it is, to read or write says so */
    loop_enter();
    uv_poll_stop(uv);
    promise *p = w->waiting;
    w->waiting = NULL;
    promise_settle(p, 0);
    loop_leave();
}

static void loopback_on_cancel(promise *p, void *arg)
{
    loopback_watch *w = arg;
    uv_poll_stop(&w->uv);
    w->waiting = NULL;
    promise_settle(p, UV_ECANCELED);
}

static bool loopback_is_ready(const source *s)
{
    const loopback *l = s->of;
    return l->count > 0 || l->ended || poll(&(struct pollfd){ l->fd, l->waits_for, 0 }, 1, 0) > 0;
}

static promise *loopback_ready(const source *s)
{
    loopback *l = s->of;
    if (!l->watch) {
        l->watch = mem_alloc(sizeof *l->watch);
        *l->watch = (loopback_watch){ .uv.data = l->watch };
        const int err = uv_poll_init(loop_here(), &l->watch->uv, l->fd);
        if (err) {
            mem_free(l->watch);
            l->watch = NULL;
            return promise_settled(err);
        }
    }
    loopback_watch *w = l->watch;
    assert(!w->waiting);
    const int err = uv_poll_start(&w->uv, l->waits_for == POLLOUT ? UV_WRITABLE : UV_READABLE, loopback_on_ready);
    return err ? promise_settled(err) : (w->waiting = promise_new(loopback_on_cancel, w));
}

static void loopback_expect(const source *s, blocking_set *set)
{
    const loopback *l = s->of;
    blocking_add(set, l->fd, l->waits_for);
}

source loopback_source(loopback *l)
{
    static const source_kind kind = { loopback_is_ready, loopback_ready, loopback_expect };
    return (source){ .kind = &kind, .of = l };
}

static async int loopback_wait(loopback *l)
{
    int which = 0;
    return (await)(either(&which, loopback_source(l)));
}

/* How many bytes have been added. UV_EOF: the server has ended the connection. */
static int loopback_fill(loopback *l)
{
    const ssize_t n = recv(l->fd, l->bytes + l->length, MOST_BYTES - l->length, MSG_DONTWAIT);
    if (n < 0)
        return errno == EINTR ? UV_EAGAIN : -errno;
    l->length += (size_t)n;
    l->bytes[l->length] = '\0';
    return n > 0 || l->length == MOST_BYTES ? (int)n : UV_EOF;
}

static void loopback_use(loopback *l, size_t length)
{
    memmove(l->bytes, l->bytes + length, l->length - length + 1);
    l->length -= length;
}

static void loopback_keep(loopback *l, text message)
{
    if (l->count == MOST_MESSAGES)
        return;
    l->messages[(l->first + l->count++) % MOST_MESSAGES] = (text){ arena_copy(l->arena, message), message.length };
}

static ssize_t loopback_on_read(wslay_event_context_ptr wslay, uint8_t *to, size_t most, int flags, void *arg)
{
    loopback *l = arg;
    (void)flags;
    const int err = l->length == 0 ? loopback_fill(l) : 0;
    if (err < 0) {
        wslay_event_set_error(wslay, err == UV_EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    const size_t n = l->length < most ? l->length : most;
    memcpy(to, l->bytes, n);
    loopback_use(l, n);
    return (ssize_t)n;
}

static ssize_t loopback_on_write(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length, int flags, void *arg)
{
    const loopback *l = arg;
    (void)flags;
    const ssize_t n = send(l->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        wslay_event_set_error(wslay, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return n;
}

static int loopback_on_mask(wslay_event_context_ptr wslay, uint8_t *to, size_t length, void *arg)
{
    (void)wslay, (void)arg;
    return uv_random(NULL, NULL, to, length, 0, NULL) ? -1 : 0;
}

static void loopback_on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
    (void)wslay;
    if (m->opcode == WSLAY_TEXT_FRAME)
        loopback_keep(arg, (text){ (const char *)m->msg, m->msg_length });
}

/* Of one line each, as ours are. */
static void loopback_take_events(loopback *l)
{
    for (char *end; (end = strchr(l->bytes, '\n')); loopback_use(l, (size_t)(end - l->bytes) + 1)) {
        static const text DATA = { "data: ", 6 };
        if (strncmp(l->bytes, DATA.at, DATA.length) == 0)
            loopback_keep(l, (text){ l->bytes + DATA.length, (size_t)(end - l->bytes) - DATA.length });
    }
}

static void loopback_take(loopback *l)
{
    if (l->wslay) {
        l->ended = wslay_event_recv(l->wslay) != 0 || !wslay_event_want_read(l->wslay);
        return;
    }
    const int err = loopback_fill(l);
    loopback_take_events(l);
    l->ended = (err < 0 && err != UV_EAGAIN) || l->length == MOST_BYTES;
}

int loopback_socket(int *fd)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found;
    address a;
    char port[16];
    int err = address_parse(&a, site_address());
    if (err)
        return err;
    snprintf(port, sizeof port, "%d", a.port);
    if (getaddrinfo(a.host, port, &hints, &found))
        return UV_EADDRNOTAVAIL;
    const int s = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    err = s < 0 || (connect(s, found->ai_addr, found->ai_addrlen) && errno != EINPROGRESS) ? -errno : 0;
    freeaddrinfo(found);
    if (!err && setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)))          /* a frame comes in two parts */
        err = -errno;
    if (!err)
        *fd = s;
    else if (s >= 0)
        close(s);
    return err;
}

static int loopback_ask(loopback *l, const char *path, loopback_kind kind)
{
    const char *request = kind == LOOPBACK_WEBSOCKET
        ? arena_printf(l->arena, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       path, site_address())
        : arena_printf(l->arena, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, site_address());  /* 1.0: not in chunks */
    const size_t length = strlen(request);
    const ssize_t n = send(l->fd, request, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : (size_t)n < length ? UV_EAGAIN : 0;
}

static async int loopback_read_head(loopback *l, loopback_kind kind)
{
    char *end;
    while (!(end = strstr(l->bytes, "\r\n\r\n"))) {
        int err = loopback_wait(l);
        if (!err)
            err = loopback_fill(l);
        if (err == 0 || (err < 0 && err != UV_EAGAIN))
            return err ? err : UV_EMSGSIZE;
    }
    if (strncmp(l->bytes + strlen("HTTP/1.1"), kind == LOOPBACK_WEBSOCKET ? " 101 " : " 200 ", 5) != 0)
        return UV_EPROTO;
    loopback_use(l, (size_t)(end + 4 - l->bytes));
    return 0;
}

static void loopback_on_run_end(void *arg) { loopback_close(arg); }

async int loopback_open(run *r, const char *path, loopback_kind kind, loopback **opened)
{
    static const struct wslay_event_callbacks CALLBACKS = {
        .recv_callback = loopback_on_read, .send_callback = loopback_on_write, .genmask_callback = loopback_on_mask,
        .on_msg_recv_callback = loopback_on_message,
    };
    loopback *l = run_alloc(r, sizeof *l);
    *l = (loopback){ .arena = request_arena(r->req), .fd = -1, .waits_for = POLLOUT };
    arena_defer(l->arena, loopback_on_run_end, l);
    int err = loopback_socket(&l->fd);
    if (!err)
        err = loopback_wait(l);
    if (!err)
        err = loopback_ask(l, path, kind);
    l->waits_for = POLLIN;
    if (!err)
        err = loopback_read_head(l, kind);
    if (!err && kind == LOOPBACK_WEBSOCKET && wslay_event_context_client_init(&l->wslay, &CALLBACKS, l))
        err = UV_ENOMEM;
    if (err)
        return err;
    if (l->wslay)                            /* what has come behind the head is not told again */
        loopback_take(l);
    else
        loopback_take_events(l);
    *opened = l;
    return 0;
}

static void loopback_on_let_go(uv_handle_t *uv) { mem_free(uv->data); }

void loopback_close(loopback *l)
{
    if (l->watch)
        uv_close((uv_handle_t *)&l->watch->uv, loopback_on_let_go);
    if (l->wslay)
        wslay_event_context_free(l->wslay);
    if (l->fd >= 0)
        close(l->fd);
    l->watch = NULL;
    l->wslay = NULL;
    l->fd = -1;
    l->ended = true;
}

int loopback_send(loopback *l, text message)
{
    const struct wslay_event_msg m = { WSLAY_TEXT_FRAME, (const uint8_t *)message.at, message.length };
    if (l->ended)
        return UV_EOF;
    return wslay_event_queue_msg(l->wslay, &m) || wslay_event_send(l->wslay) ? UV_EAGAIN : 0;
}

async int loopback_receive(loopback *l, text *message)
{
    for (int err = 0; l->count == 0; loopback_take(l)) {
        if (l->ended)
            return UV_EOF;
        track_expects("the next message", 0);
        err = loopback_wait(l);
        if (err)
            return err;
    }
    *message = l->messages[l->first];
    l->first = (l->first + 1) % MOST_MESSAGES;
    l->count--;
    return 0;
}
