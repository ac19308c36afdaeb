/* client_loop.c - the client of one loop: its wait queue, and libcurl's sockets and time in the loop's hands.
 *
 * libcurl says which sockets to watch, and when it wants to be called at the latest; what it was called
 * for has ended when curl_multi_info_read says so. Nothing of ours but that runs in a call of its. */
#include "client.h"
#include "transfer.h"
#include "server/async/loop.h"
#include "server/async/semaphore.h"
#include "server/async/timer.h"
#include "server/async/timing.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

typedef struct fetch {
    list_node node;
    transfer  transfer;
    promise  *promise;                       /* NULL: abandoned */
    promise  *entering;                      /* while it waits for a permit */
    uint64_t  due;                           /* by timer_now */
    uint64_t  since, begun;                  /* uv_hrtime: when it was asked for; and begun, or 0 */
    bool      cancelled;                     /* while it waited, or had a permit of which it had not heard */
} fetch;

static _Thread_local pool fetches = POOL(fetch), watches = POOL(uv_poll_t);

static _Thread_local struct {
    CURLM     *multi;                        /* NULL while there is nothing yet */
    semaphore *permits;
    list       all;                          /* fetches that wait or are under way */
    timer      timer;
    ready      soon;
    bool       soon_set;
    CURL     **idle;                         /* easy handles for reuse */
    int        idle_count;
    promise   *closing;
    bool       retiring;                     /* no connection is kept for another fetch */
} here;

static void client_reap(void);

/* What libcurl wants of the loop. */

static void client_go_on(curl_socket_t s, int events)
{
    int running;
    curl_multi_socket_action(here.multi, s, events, &running);
    client_reap();
}

static void client_on_timer(timer *t)
{
    (void)t;
    client_go_on(CURL_SOCKET_TIMEOUT, 0);
}

static void client_run_soon(ready *r)
{
    (void)r;
    here.soon_set = false;
    if (here.multi)
        client_go_on(CURL_SOCKET_TIMEOUT, 0);
}

static int client_on_timeout(CURLM *multi, long ms, void *arg)
{
    (void)multi;
    (void)arg;
    if (ms <= 0)
        timer_stop(&here.timer);
    else
        timer_set(&here.timer, (uint64_t)ms, client_on_timer);
    if (ms == 0 && !here.soon_set) {         /* in this turn, where a timer would take a millisecond */
        here.soon_set = true;
        here.soon.run = client_run_soon;
        loop_at_turn_end(&here.soon);
    }
    return 0;
}

static void client_on_socket_ready(uv_poll_t *w, int status, int events)
{
    uv_os_fd_t fd;
    const int flags = (status < 0 ? CURL_CSELECT_ERR : 0) | (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                      (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    loop_enter();
    if (uv_fileno((uv_handle_t *)w, &fd) == 0)
        client_go_on(fd, flags);
    loop_leave();
}

static void client_on_closed(uv_handle_t *w) { pool_put(&watches, w); }

static int client_on_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *watch)
{
    uv_poll_t *w = watch;
    (void)easy;
    (void)arg;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            uv_close((uv_handle_t *)w, client_on_closed);
        return 0;
    }
    if (!w) {
        w = pool_get(&watches);
        const int err = uv_poll_init(loop_here(), w, s);
        if (err) {                           /* what waits for this socket will be out of time */
            log_warning("outgoing: cannot watch a socket: %s", uv_strerror(err));
            pool_put(&watches, w);
            return 0;
        }
        curl_multi_assign(here.multi, s, w);
    }
    uv_poll_start(w, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), client_on_socket_ready);
    return 0;
}

/* Opening and closing. */

static int client_open(void)
{
    here.multi = curl_multi_init();
    if (!here.multi)
        return UV_ENOMEM;
    curl_multi_setopt(here.multi, CURLMOPT_SOCKETFUNCTION, client_on_socket);
    curl_multi_setopt(here.multi, CURLMOPT_TIMERFUNCTION, client_on_timeout);
    curl_multi_setopt(here.multi, CURLMOPT_MAXCONNECTS, (long)client_settings.connections);
    here.permits = semaphore_new(client_settings.connections, client_settings.line);
    semaphore_set_target(here.permits, client_settings.target_ms);
    here.idle = mem_alloc((size_t)client_settings.connections * sizeof *here.idle);
    return 0;
}

/* A fetch that comes later opens it anew. */
static void client_close_if_drained(void)
{
    promise *closing = here.closing;
    if (!here.multi || here.all.first || !(closing || here.retiring))
        return;
    curl_multi_cleanup(here.multi);
    timer_stop(&here.timer);
    while (here.idle_count > 0)
        curl_easy_cleanup(here.idle[--here.idle_count]);
    mem_free(here.idle);
    semaphore_free(here.permits);
    here.multi = NULL;
    here.closing = NULL;
    if (closing)
        promise_settle(closing, 0);
}

/* One fetch: it waits for a permit, then it is under way. */

static void fetch_settle(fetch *f, int err)
{
    list_remove(&f->node);
    transfer_count(&f->transfer, f->since, f->begun, f->promise ? err : UV_ECANCELED);
    if (f->promise) {
        transfer_told(&f->transfer, err);
        promise_settle(f->promise, err);
    }
    pool_put(&fetches, f);
    client_close_if_drained();
}

static void fetch_end(fetch *f, int err)
{
    curl_multi_remove_handle(here.multi, f->transfer.easy);
    CURL *easy = transfer_end(&f->transfer, err);
    if (easy)
        here.idle[here.idle_count++] = easy;
    semaphore_leave(here.permits);
    fetch_settle(f, err);
}

static void client_reap(void)
{
    int left;
    for (CURLMsg *m; here.multi && (m = curl_multi_info_read(here.multi, &left));) {
        transfer *done;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &done);
        fetch_end(container_of(done, fetch, transfer), transfer_outcome(done, m->data.result));
    }
}

static int fetch_begin(fetch *f)
{
    const uint64_t now = timer_now();
    CURL *easy = here.idle_count > 0 ? here.idle[--here.idle_count] : curl_easy_init();
    if (!easy)
        return UV_ENOMEM;
    transfer_begin(&f->transfer, easy, f->due > now ? f->due - now : 0);
    f->begun = uv_hrtime();
    if (curl_multi_add_handle(here.multi, easy) == CURLM_OK)
        return 0;
    transfer_end(&f->transfer, UV_ENOMEM);
    return UV_ENOMEM;
}

static void fetch_on_entered(int err, void *arg)
{
    fetch *f = arg;
    f->entering = NULL;
    if (err == UV_EBUSY)
        err = refuse(REFUSED_OUTGOING_WAIT, uv_hrtime() - f->since);
    if (!err) {
        err = f->cancelled ? UV_ECANCELED : fetch_begin(f);
        if (err)
            semaphore_leave(here.permits);
    }
    if (err)
        fetch_settle(f, err);
}

static void fetch_on_cancel(promise *p, void *arg)
{
    fetch *f = arg;
    if (f->entering) {
        f->cancelled = true;
        promise_cancel(f->entering);
    } else if (f->transfer.looking_up) {
        transfer_abandon(&f->transfer);
        f->promise = NULL;
        transfer_told(&f->transfer, UV_ECANCELED);
        promise_settle(p, UV_ECANCELED);
    } else
        fetch_end(f, UV_ECANCELED);
}

promise *client_loop_fetch(const transfer *t)
{
    int err = here.closing ? UV_ECANCELED : here.multi ? 0 : client_open();
    if (err)
        return promise_settled(err);
    promise *entering = semaphore_enter(here.permits);
    const bool waits = !promise_take_if_settled(entering, &err);
    if (!waits && err)
        return promise_settled(refuse(REFUSED_OUTGOING_LINE, 0));

    fetch *f = pool_get(&fetches);
    *f = (fetch){ .transfer = *t, .due = timer_now() + t->timeout_ms, .since = uv_hrtime() };
    list_push(&here.all, &f->node);
    promise *p = f->promise = promise_new(fetch_on_cancel, f);
    if (waits) {
        f->entering = with_timeout(entering, t->timeout_ms);
        when_settled(f->entering, fetch_on_entered, f);
    } else
        fetch_on_entered(0, f);
    return p;
}

void client_loop_retire(void)
{
    here.retiring = true;
    client_close_if_drained();
}

promise *http_client_close(void)
{
    here.retiring = false;                   /* it is over: another server may begin in this thread */
    if (!here.multi)
        return promise_settled(0);
    promise *p = here.closing = promise_new(NULL, NULL);
    for (list_node *n = here.all.first, *next; n; n = next) {
        fetch *f = container_of(n, fetch, node);
        next = n->next;
        if (f->entering)
            promise_cancel(f->promise);
        else
            fetch_end(f, UV_ECANCELED);
    }
    client_close_if_drained();
    return p;
}
