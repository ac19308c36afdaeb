/* mail.c - see mail.h. */
#include "mail.h"
#include "server/async/background.h"
#include "server/async/chain.h"
#include "server/async/context/stack.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/base/block.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/thread.h"

#include <errno.h>
#include <stdatomic.h>

enum { KNOWN = 256, AT_ONCE = 16 };

static struct {
    pthread_mutex_t lock;
    uint64_t        count;                   /* ever; the id of the last */
    mail            last[KNOWN];             /* by their ids */
} book = { .lock = PTHREAD_MUTEX_INITIALIZER };

uint64_t mail_new(void)
{
    pthread_mutex_lock(&book.lock);
    const uint64_t id = ++book.count;
    book.last[id % KNOWN] = (mail){ .id = id, .since = uv_hrtime() };
    pthread_mutex_unlock(&book.lock);
    return id;
}

void mail_ended(uint64_t id, int outcome)
{
    pthread_mutex_lock(&book.lock);
    mail *m = &book.last[id % KNOWN];
    if (m->id == id) {
        m->ended = uv_hrtime();
        m->outcome = outcome;
    }
    pthread_mutex_unlock(&book.lock);
}

bool mail_find(uint64_t id, mail *found)
{
    pthread_mutex_lock(&book.lock);
    *found = book.last[id % KNOWN];
    pthread_mutex_unlock(&book.lock);
    return id > 0 && found->id == id;
}

/* A loop's. */

static _Thread_local background *group;

static int group_send(const char *name, int (*deliver)(void *arg), void *arg, void (*destroy)(void *arg))
{
    if (!group)
        group = background_new(AT_ONCE);
    return background_start(group, name, deliver, arg, destroy);
}

static promise *group_free(void *arg)
{
    (void)arg;
    background_free(group);
    group = NULL;
    return promise_settled(0);
}

/* A blocking thread's. */

struct errand { const char *name; int (*deliver)(void *arg); void *arg; void (*destroy)(void *arg); };

static _Thread_local struct { pthread_t thread; bool there; } postman;
static atomic_int postmen;

static void *postman_run(void *arg)
{
    const struct errand e = *(struct errand *)arg;
    background *alone = background_new(1);
    mem_free(arg);
    const int err = background_start(alone, e.name, e.deliver, e.arg, e.destroy);
    if (err) {
        log_error("background task %s: %s", e.name, uv_strerror(err));
        e.destroy(e.arg);
    } else {
        (void)await(background_join(alone));
    }
    background_free(alone);
    stack_trim();
    block_trim();
    pool_done_all();
    atomic_fetch_sub(&postmen, 1);
    return NULL;
}

static int postman_send(const char *name, int (*deliver)(void *arg), void *arg, void (*destroy)(void *arg))
{
    if (postman.there && pthread_tryjoin_np(postman.thread, NULL) == EBUSY)
        return UV_EAGAIN;
    postman.there = false;
    if (atomic_fetch_add(&postmen, 1) >= AT_ONCE) {
        atomic_fetch_sub(&postmen, 1);
        return UV_EAGAIN;
    }
    struct errand *e = mem_alloc(sizeof *e);
    *e = (struct errand){ name, deliver, arg, destroy };
    const int err = thread_start(&postman.thread, postman_run, e);
    if (err) {
        atomic_fetch_sub(&postmen, 1);
        mem_free(e);
    }
    postman.there = !err;
    return err;
}

int mail_send(const char *name, int (*deliver)(void *arg), void *arg, void (*destroy)(void *arg))
{
    return loop_here() ? group_send(name, deliver, arg, destroy) : postman_send(name, deliver, arg, destroy);
}

promise *mail_close(void)
{
    if (postman.there)
        pthread_join(postman.thread, NULL);
    postman.there = false;
    return group ? then(background_stop(group), group_free, NULL) : promise_settled(0);
}
