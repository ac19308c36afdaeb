/* audience.c - see audience.h. */
#include "audience.h"
#include "server/async/loop.h"
#include "server/base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TURN = 4 };                           /* ms of waking in one turn of the loop */

/* What wakes a thread: other threads have it only through its audiences. */
typedef struct waker {
    pthread_mutex_t lock;                    /* of the next two */
    fifo            rung;                    /* audiences */
    bool            woken;                   /* it will look at them */
    bool            loop;                    /* else a blocking thread's */
    int             audiences;
    int             descriptor;              /* of a blocking thread: an eventfd, or below 0 */
    int             expected;
    bool            open;                    /* async is */
    uv_async_t      async;
    ready           ready;
    bool            scheduled;               /* ready is */
    uint64_t        until;                   /* of uv_hrtime: so long it may wake in this turn */
    fifo            due;                     /* audiences with members to be woken, served by turns */
} waker;

struct audience {
    list_node node;                          /* in the thing's list */
    list_node rung, due;                     /* in the waker's */
    waker    *waker;
    fifo      members, waiting;            /* waiting: those of this round that are still to be woken */
    bool      pass;                          /* the round's, which all who were woken in it have */
    bool      again;                         /* rung meanwhile: another round */
};

static _Thread_local waker here = { .lock = PTHREAD_MUTEX_INITIALIZER, .descriptor = -1 };

static void waker_take_rung(waker *w)
{
    pthread_mutex_lock(&w->lock);
    for (list_node *n; (n = fifo_take(&w->rung));) {
        audience *a = container_of(n, audience, rung);
        a->again = true;
        if (w->loop && !list_has(&a->due))
            fifo_append(&w->due, &a->due);
    }
    w->woken = false;
    pthread_mutex_unlock(&w->lock);
}

static bool waker_is_rung(waker *w)
{
    pthread_mutex_lock(&w->lock);
    const bool rung = w->rung.first;
    pthread_mutex_unlock(&w->lock);
    return rung;
}

/* On a loop. */

/* True if any of its members is still to be woken. */
static bool audience_goes_on(audience *a)
{
    if (!a->waiting.first && a->again) {
        a->again = false;
        a->pass = !a->pass;
        fifo_take_all(&a->members, &a->waiting);
    }
    return a->waiting.first;
}

/* Afterwards a may be gone. */
static void audience_wake_next(audience *a)
{
    list_node *const n = fifo_take(&a->waiting);
    audience_member *m = container_of(n, audience_member, node);
    m->pass = a->pass;
    fifo_append(&a->members, n);
    m->wake(m);
}

static void waker_on_turn_end(ready *r);
static void waker_on_immediate(ready *r);

static void waker_go_on(waker *w, bool in_this_turn)
{
    w->scheduled = true;
    w->ready.run = in_this_turn ? waker_on_turn_end : waker_on_immediate;
    (in_this_turn ? loop_at_turn_end : loop_immediate)(&w->ready);
}

/* As many as write at once: the next ones come when those have. */
static void waker_serve(waker *w)
{
    list_node *n;
    for (int i = 0; i < LOOP_GATHERS && (n = fifo_take(&w->due)); i++) {
        audience *a = container_of(n, audience, due);
        if (audience_goes_on(a)) {
            fifo_append(&w->due, n);         /* where audience_leave finds it */
            audience_wake_next(a);
        }
    }
    if (!w->scheduled && (w->due.first || waker_is_rung(w)))
        waker_go_on(w, w->due.first && uv_hrtime() < w->until);
}

static void waker_on_turn_end(ready *r)
{
    waker *w = container_of(r, waker, ready);
    w->scheduled = false;
    waker_serve(w);
}

static void waker_on_immediate(ready *r)
{
    waker *w = container_of(r, waker, ready);
    w->scheduled = false;
    w->until = uv_hrtime() + TURN * (uint64_t)1000000;
    waker_take_rung(w);
    waker_serve(w);
}

static void waker_on_async(uv_async_t *async)
{
    waker *w = container_of(async, waker, async);
    loop_enter();
    if (!w->scheduled)                       /* else it looks when it is its turn */
        waker_on_immediate(&w->ready);
    loop_leave();
}

void audience_expect(const audience_member *m, int more)
{
    waker *w = m->audience->waker;
    w->expected += more;
    if (!w->open)
        return;
    (w->expected > 0 ? uv_ref : uv_unref)((uv_handle_t *)&w->async);
}

void audience_loop_end(void)
{
    assert(here.audiences == 0);
    if (here.open)
        uv_close((uv_handle_t *)&here.async, NULL);
    here.open = false;
}

/* In a blocking thread. */

void audience_look(void)
{
    eventfd_t times;
    eventfd_read(here.descriptor, &times);   /* first: who rings from then on writes anew, and at worst for nothing */
    waker_take_rung(&here);
}

int audience_descriptor(void) { return here.descriptor; }

/* Any thread. */

static void waker_wake(waker *w)
{
    if (!w->loop)
        eventfd_write(w->descriptor, 1);
    else if (w != &here)
        uv_async_send(&w->async);
    else if (!w->scheduled)
        waker_go_on(w, false);
}

void audience_ring(audience *a)
{
    waker *w = a->waker;
    pthread_mutex_lock(&w->lock);
    const bool first = !w->woken;
    w->woken = true;
    if (!list_has(&a->rung))
        fifo_append(&w->rung, &a->rung);
    pthread_mutex_unlock(&w->lock);
    if (first)
        waker_wake(w);
}

void audience_ring_all(const list *audiences)
{
    for (list_node *n = audiences->first; n; n = n->next)
        audience_ring(container_of(n, audience, node));
}

/* Coming and going. */

static void waker_open(waker *w)
{
    w->loop = loop_here();
    if (!w->loop) {
        w->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    } else if (!w->open) {
        uv_async_init(loop_here(), &w->async, waker_on_async);
        uv_unref((uv_handle_t *)&w->async);
        w->open = true;
    }
}

static void waker_close(waker *w)
{
    if (w->loop)
        return;
    if (w->descriptor >= 0)
        close(w->descriptor);
    w->descriptor = -1;
}

/* A blocking thread's members have one each: it looks for itself, and so nothing is gained by looking for another. */
static audience *audience_find(const list *audiences)
{
    list_node *n = here.loop ? audiences->first : NULL;
    while (n && container_of(n, audience, node)->waker != &here)
        n = n->next;
    return n ? container_of(n, audience, node) : NULL;
}

void audience_join(list *audiences, audience_member *m)
{
    if (here.audiences == 0)
        waker_open(&here);
    audience *a = audience_find(audiences);
    if (!a) {
        a = mem_alloc(sizeof *a);
        a->waker = &here;
        here.audiences++;
        list_push(audiences, &a->node);
    }
    m->audience = a;
    m->pass = a->pass;
    fifo_append(&a->members, &m->node);
}

void audience_leave(audience_member *m)
{
    audience *a = m->audience;
    waker *w = a->waker;
    fifo_remove(m->pass == a->pass ? &a->members : &a->waiting, &m->node);
    if (a->members.first || a->waiting.first)
        return;
    list_remove(&a->node);
    if (list_has(&a->due))
        fifo_remove(&w->due, &a->due);
    pthread_mutex_lock(&w->lock);
    if (list_has(&a->rung))
        fifo_remove(&w->rung, &a->rung);
    pthread_mutex_unlock(&w->lock);
    mem_free(a);
    if (--w->audiences == 0)
        waker_close(w);
}
