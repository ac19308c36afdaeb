/* client_blocking.c - the client of all blocking threads: each acquires a slot with connections, and waits.
 *
 * A slot's sockets are in an epoll set, which is itself a descriptor: the thread waits for that, and
 * for its own client to leave, as for anything else (blocking_wait.h). */
#include "transfer.h"
#include "server/base/blocking_wait.h"
#include "server/base/deadline.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "server/executor/resource_pool.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

enum { KEPT = 2, EVENTS = 4 };               /* connections of a slot; sockets to look at, at once */

typedef struct slot {
    resource base;
    CURLM   *multi;                          /* NULL until it is used */
    CURL    *easy;                           /* for reuse; or NULL */
    int      sockets;                        /* the epoll set */
    uint64_t due;                            /* when libcurl wants to be called at the latest, of deadline_in */
} slot;

static struct {
    uv_once_t     once;
    resource_pool resource_pool;
    slot         *slots;
    int           count;
    atomic_bool   retiring;                  /* no connection is kept for another fetch */
} all = { .once = UV_ONCE_INIT };

static int slot_on_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *unused)
{
    const slot *mine = arg;
    struct epoll_event e = { (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0), { .fd = s } };
    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE)
        epoll_ctl(mine->sockets, EPOLL_CTL_DEL, s, NULL);
    else if (epoll_ctl(mine->sockets, EPOLL_CTL_MOD, s, &e) && errno == ENOENT)
        epoll_ctl(mine->sockets, EPOLL_CTL_ADD, s, &e);
    return 0;
}

static int slot_on_timeout(CURLM *multi, long ms, void *arg)
{
    (void)multi;
    ((slot *)arg)->due = ms < 0 ? NO_DEADLINE : deadline_in((uint64_t)ms);
    return 0;
}

static void slots_open(void)
{
    const int loops = client_settings.loops > 0 ? client_settings.loops : 1;
    resource_pool_init(&all.resource_pool, client_settings.line * loops, codel_of_ms(client_settings.target_ms, 0));
    all.count = client_settings.connections * loops;
    all.slots = mem_alloc((size_t)all.count * sizeof *all.slots);
    for (int i = all.count - 1; i >= 0; i--)
        resource_pool_release(&all.resource_pool, &all.slots[i].base);
}

static int slot_open(slot *s)
{
    s->sockets = epoll_create1(EPOLL_CLOEXEC);
    if (s->sockets < 0)
        return uv_translate_sys_error(errno);
    s->multi = curl_multi_init();
    if (!s->multi) {
        close(s->sockets);
        return UV_ENOMEM;
    }
    s->due = NO_DEADLINE;
    curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, slot_on_socket);
    curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
    curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, slot_on_timeout);
    curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
    curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)KEPT);
    return 0;
}

static void slot_close(slot *s)
{
    if (!s->multi)
        return;
    curl_multi_cleanup(s->multi);
    close(s->sockets);
    s->multi = NULL;
}

/* Waits, and lets libcurl go on with what is ready. UV_ECANCELED: the thread's client is gone, of which
 * an abandoned transfer has heard; UV_ETIMEDOUT: its deadline has come. */
static int slot_wait(slot *s, bool abandoned)
{
    struct epoll_event e[EVENTS];
    int running, err = abandoned ? 0 : blocking_wait(s->sockets, POLLIN, s->due);
    if (err && (err != UV_ETIMEDOUT || blocking_late()))
        return err;
    const int n = epoll_wait(s->sockets, e, EVENTS, abandoned ? deadline_poll_ms(s->due) : 0);
    for (int i = 0; i < n; i++)
        curl_multi_socket_action(s->multi, e[i].data.fd,
                                 (e[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                 (e[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                                 (e[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0), &running);
    if (deadline_in(0) >= s->due)
        curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    return 0;
}

static int slot_run(slot *s, transfer *t)
{
    int verdict = 0;                         /* on one that has been abandoned */
    for (;;) {
        int left;
        const CURLMsg *m = curl_multi_info_read(s->multi, &left);
        if (m && m->msg == CURLMSG_DONE)
            return verdict ? verdict : transfer_outcome(t, m->data.result);
        const int err = m ? 0 : slot_wait(s, t->abandoned);
        if (err && !t->looking_up)
            return err;
        if (err) {
            verdict = err;
            transfer_abandon(t);
        }
    }
}

static int slot_fetch(slot *s, transfer *t, uint64_t until)
{
    int err = s->multi ? 0 : slot_open(s);
    if (err)
        return err;
    CURL *easy = s->easy ? s->easy : curl_easy_init();
    s->easy = NULL;
    if (!easy)
        return UV_ENOMEM;
    transfer_begin(t, easy, (uint64_t)deadline_poll_ms(until));
    err = curl_multi_add_handle(s->multi, easy) == CURLM_OK ? slot_run(s, t) : UV_ENOMEM;
    curl_multi_remove_handle(s->multi, easy);
    s->easy = transfer_end(t, err);
    return err;
}

int client_blocking_fetch(transfer *t)
{
    resource *acquired;
    const uint64_t until = deadline_sooner(deadline_in(t->timeout_ms), blocking_deadline());
    uv_once(&all.once, slots_open);
    const uint64_t since = uv_hrtime();
    int err = resource_pool_acquire(&all.resource_pool, &acquired, until, RESOURCE_POOL_USUAL);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_OUTGOING_LINE, 0);
    if (err == UV_EBUSY)
        return refuse(REFUSED_OUTGOING_WAIT, uv_hrtime() - since);
    if (err) {
        transfer_count(t, since, 0, err);
        return err;
    }
    const uint64_t begun = uv_hrtime();
    err = slot_fetch(container_of(acquired, slot, base), t, until);
    transfer_told(t, err);
    transfer_count(t, since, begun, err);
    if (atomic_load_explicit(&all.retiring, memory_order_relaxed))
        slot_close(container_of(acquired, slot, base));
    resource_pool_release(&all.resource_pool, acquired);
    return err;
}

void client_blocking_retire(void)
{
    resource *idle = NULL;
    uv_once(&all.once, slots_open);
    atomic_store(&all.retiring, true);       /* this first: a thread that has acquired one sees it when it releases it */
    for (resource *l; (l = resource_pool_try_acquire(&all.resource_pool)); idle = l) {
        slot_close(container_of(l, slot, base));
        l->next = idle;
    }
    while (idle) {
        resource *l = idle;
        idle = l->next;
        resource_pool_release(&all.resource_pool, l);
    }
}

void client_blocking_done(void)
{
    for (int i = 0; i < all.count; i++) {
        slot_close(&all.slots[i]);
        if (all.slots[i].easy)
            curl_easy_cleanup(all.slots[i].easy);
    }
    all.retiring = false;
    if (all.count > 0)
        resource_pool_done(&all.resource_pool);
    mem_free(all.slots);
    all.slots = NULL;
    all.count = 0;
}
