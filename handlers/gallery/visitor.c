/* visitor.c - see visitor.h. */
#include "visitor.h"
#include "handlers/handlers.h"
#include "handlers/gallery/patterns/loopback.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/base/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EACH = 10,                               /* milliseconds between two requests */
    AHEAD = 24,                              /* requests that are not answered yet, at most: less than [limits] pipeline */
    ANSWERS = 1024,                          /* of which it remembers how long they took */
    SEARCH = 1000, PATIENCE = 3000,          /* milliseconds: for a connection, and for the last answers */
};

const char VISITED[] = "GET /healthz";

typedef enum { CONNECTING, THERE, LEFT } visitor_state;      /* THERE: it has a connection */

struct visitor {
    track         *track;                    /* on which answers are recorded; from begins on */
    pthread_t      thread;
    int            loop;                     /* the number of the one that it is to meet; 0: any */
    int            wakes;                    /* an eventfd: look at begins and ends */
    atomic_int     state, begins, ends;
    atomic_int     err;                      /* why it never asked */
    int            fd;
    uint64_t       asked[AHEAD];             /* when, of what is not answered yet: a ring */
    int            first, ahead;
    char           bytes[4096];
    size_t         length;
    uint32_t       took[ANSWERS];            /* microseconds */
    int            answered;
};

/* Which of the loops this thread has; each gets its number when that is first asked for. */
static int loop_number(void)
{
    static atomic_int numbers;
    static _Thread_local int mine;
    if (!mine)
        mine = atomic_fetch_add(&numbers, 1) + 1;
    return mine;
}

int pattern_loop(request *req)
{
    char *said = arena_printf(request_arena(req), "%d\n", loop_number());
    return respond(req, 200, "text/plain", text_of(said));
}

/* Until there is something to read, or it is to end; false: neither, in time. */
static bool visitor_wait(visitor *v, short events, int64_t ms)
{
    struct pollfd fds[] = { { v->fd, events, 0 }, { v->wakes, POLLIN, 0 } };
    return poll(fds, 2, ms > 0 ? (int)ms : 0) > 0;
}

static bool visitor_read(visitor *v)
{
    const ssize_t n = recv(v->fd, v->bytes + v->length, sizeof v->bytes - 1 - v->length, MSG_DONTWAIT);
    if (n > 0)
        v->length += (size_t)n;
    v->bytes[v->length] = '\0';
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool visitor_send(const visitor *v, const char *path)
{
    char request[256];
    const int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, site_address());
    return send(v->fd, request, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) == length;
}

/* The number of the loop that has this connection; 0: it says none. */
static int visitor_meets(visitor *v)
{
    const char *body = NULL;
    v->length = 0;
    if (!visitor_wait(v, POLLOUT, SEARCH) || !visitor_send(v, "/patterns/loop"))
        return 0;
    while (!v->ends && visitor_wait(v, POLLIN, SEARCH) && visitor_read(v))
        if ((body = strstr(v->bytes, "\r\n\r\n")) && body[4] && strchr(body + 4, '\n'))
            return atoi(body + 4);
    return 0;
}

static int visitor_connect(visitor *v)
{
    const uint64_t late = uv_hrtime() + (uint64_t)SEARCH * 1000000;
    while (!v->ends && uv_hrtime() < late) {
        const int err = loopback_socket(&v->fd);
        if (err)
            return err;
        const int met = visitor_meets(v);
        if (met > 0 && (v->loop == 0 || met == v->loop)) {
            v->length = 0;
            return 0;
        }
        close(v->fd);
        v->fd = -1;
    }
    return v->ends ? UV_ECANCELED : UV_EADDRNOTAVAIL;
}

static void visitor_take_answers(visitor *v)
{
    static const char END[] = "\r\n\r\nok\n";
    char *at = v->bytes;
    for (char *end; v->ahead > 0 && (end = strstr(at, END)); at = end + sizeof END - 1) {
        const uint64_t us = (uv_hrtime() - v->asked[v->first]) / 1000;
        v->first = (v->first + 1) % AHEAD;
        v->ahead--;
        track_took(v->track, VISITED, (int64_t)us);
        if (v->answered < ANSWERS)
            v->took[v->answered++] = (uint32_t)us;
    }
    v->length -= (size_t)(at - v->bytes);
    memmove(v->bytes, at, v->length + 1);
}

static void visitor_ask_on(visitor *v)
{
    uint64_t due = uv_hrtime(), late = 0;
    for (bool good = true; good && v->ends < 2 && (!v->ends || v->ahead > 0);) {
        const uint64_t now = uv_hrtime();
        late = v->ends && !late ? now + (uint64_t)PATIENCE * 1000000 : late;
        if (late && now > late)
            return;
        if (!v->ends && now >= due && v->ahead < AHEAD) {
            v->asked[(v->first + v->ahead++) % AHEAD] = now;
            good = visitor_send(v, "/healthz");
        }
        while (due <= now)
            due += (uint64_t)EACH * 1000000;
        if (good && visitor_wait(v, POLLIN, v->ends ? EACH : (int64_t)(due - now) / 1000000 + 1)) {
            good = visitor_read(v);
            visitor_take_answers(v);
        }
    }
}

static void *visitor_run(void *arg)
{
    visitor *v = arg;
    const int err = visitor_connect(v);
    if (!err) {
        v->state = THERE;
        while (!v->begins && !v->ends)
            poll(&(struct pollfd){ v->wakes, POLLIN, 0 }, 1, -1);
        (void)!read(v->wakes, &(uint64_t){ 0 }, sizeof(uint64_t));
        visitor_ask_on(v);
        close(v->fd);
    }
    v->err = err;
    v->state = LEFT;
    return NULL;
}

static void visitor_wake(const visitor *v) { (void)!write(v->wakes, &(uint64_t){ 1 }, sizeof(uint64_t)); }

/* ends: 1, when all is answered; 2, at once. */
static void visitor_tell(visitor *v, int ends)
{
    v->ends = ends;
    visitor_wake(v);
}

static void visitor_free(visitor *v)
{
    pthread_join(v->thread, NULL);
    close(v->wakes);
}

async int visitor_open(visitor **opened, request *req)
{
    visitor *v = request_alloc(req, sizeof *v);
    *v = (visitor){ .fd = -1, .loop = loop_here() ? loop_number() : 0, .wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (v->wakes < 0)
        return -errno;
    int err = thread_start(&v->thread, visitor_run, v);
    if (err) {
        close(v->wakes);
        return err;
    }
    while (v->state == CONNECTING && !err)
        err = (await)(sleep_for(1));
    if (v->state == LEFT || err) {
        visitor_tell(v, 2);
        visitor_free(v);
        return err ? err : v->err;
    }
    *opened = v;
    return 0;
}

void visitor_begin(visitor *v, track *t)
{
    v->track = t;
    v->begins = 1;
    visitor_wake(v);
}

static int visitor_compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

async void visitor_end(visitor *v, visits *seen)
{
    visitor_tell(v, 1);
    while (v->state != LEFT && !(await)(sleep_for(1)))
        ;
    visitor_tell(v, 2);                      /* who asked for the run has left */
    visitor_free(v);
    *seen = (visits){ .answered = v->answered };
    if (v->answered == 0)
        return;
    qsort(v->took, (size_t)v->answered, sizeof v->took[0], visitor_compare);
    seen->median = v->took[v->answered / 2];
    seen->longest = v->took[v->answered - 1];
}
