/* topic.c - see topic.h.
 *
 * A lock for all names, and one for what each topic keeps, which is taken after that of the names. Names come from
 * clients: they are in a balanced tree, which nobody can make slow by choosing them. */
#include "topic.h"
#include "topic_internal.h"
#include "audience.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

#include <assert.h>
#include <search.h>
#include <time.h>
#include <uv.h>

static struct {
    topic_options   options;
    pthread_mutex_t lock;                    /* of the next three, and of users and idle in each topic */
    void           *names;                   /* a tree of tsearch's */
    int             count;
    fifo            idle;                    /* longest first */
    atomic_bool     stopped;
    atomic_size_t   kept;                    /* bytes */
} all = { .options = { .keep = 256, .most = 10000, .bytes = 64 * 1024 * 1024 }, .lock = PTHREAD_MUTEX_INITIALIZER };

topic_counts topic_counted;

void topics_configure(const topic_options *o)
{
    all.options = *o;
    atomic_store(&all.stopped, false);
}

int  topics_keep(void)    { return all.options.keep; }
bool topics_stopped(void) { return atomic_load(&all.stopped); }
text topic_name(const topic *t) { return t->name; }

/* What is kept. */

static void topic_drop_oldest(topic *t)
{
    topic_message *m = t->ring[t->first++ & (t->room - 1)];
    const size_t size = topic_message_size(m);
    t->bytes -= size;
    t->gone_id = m->id;
    atomic_fetch_sub(&all.kept, size);
    topic_message_release(m);
}

static void topic_keep(topic *t, topic_message *m)
{
    const uint64_t end = atomic_load(&t->end);
    if (end - t->first == t->room) {
        const size_t room = t->room ? 2 * t->room : 8;
        topic_message **ring = mem_alloc(room * sizeof(topic_message *));
        for (uint64_t at = t->first; at < end; at++)
            ring[at & (room - 1)] = t->ring[at & (t->room - 1)];
        mem_free(t->ring);
        t->ring = ring;
        t->room = room;
    }
    t->ring[end & (t->room - 1)] = m;
    t->bytes += topic_message_size(m);
    atomic_fetch_add(&all.kept, topic_message_size(m));
    t->last_id = m->id;
    atomic_store(&t->end, end + 1);
}

/* Makes room for so many bytes among those that all keep. False, and nothing has changed, if there is none. */
static bool topic_make_room(topic *t, size_t size)
{
    const size_t others = atomic_load(&all.kept) - t->bytes;
    const size_t most = others < all.options.bytes ? all.options.bytes - others : 0;
    if (size > most)
        return false;
    while (t->bytes > 0 && t->bytes + size > most / 2)       /* no more than is left then */
        topic_drop_oldest(t);
    return true;
}

/* Names. */

static int topic_compare(const void *a, const void *b)
{
    const text x = ((const topic *)a)->name, y = ((const topic *)b)->name;
    const int order = memcmp(x.at, y.at, x.length < y.length ? x.length : y.length);
    return order ? order : (x.length > y.length) - (x.length < y.length);
}

static void topic_forget(topic *t)
{
    while (t->first < atomic_load(&t->end))
        topic_drop_oldest(t);
    tdelete(t, &all.names, topic_compare);
    all.count--;
    pthread_mutex_destroy(&t->lock);
    mem_free(t->ring);
    mem_free(t);
}

static bool topics_forget_longest_idle(void)
{
    list_node *const n = fifo_take(&all.idle);
    if (n)
        topic_forget(container_of(n, topic, idle));
    return n;
}

static topic *topic_new(text name)
{
    struct timespec now;
    topic *t = mem_alloc(sizeof *t + name.length);
    clock_gettime(CLOCK_REALTIME, &now);
    t->last_id = t->gone_id = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    pthread_mutex_init(&t->lock, NULL);
    t->name = (text){ memcpy(t + 1, name.at, name.length), name.length };
    return t;
}

/* With the lock: the one that is there, or that is added. */
static int topics_find(text name, topic **found)
{
    const topic key = { .name = name };
    void *there = tfind(&key, &all.names, topic_compare);
    if (!there) {
        if (all.count >= all.options.most && !topics_forget_longest_idle())
            return refuse(REFUSED_TOPICS, 0);
        topic *made = topic_new(name);
        there = tsearch(made, &all.names, topic_compare);
        if (!there) {
            pthread_mutex_destroy(&made->lock);
            mem_free(made);
            return refuse(REFUSED_MEMORY, 0);
        }
        all.count++;
    }
    *found = *(topic **)there;
    return 0;
}

int topic_open(text name, topic **t)
{
    if (name.length > TOPIC_NAME)
        return UV_ENAMETOOLONG;
    pthread_mutex_lock(&all.lock);
    const int err = topics_find(name, t);
    if (!err && (*t)->users++ == 0 && list_has(&(*t)->idle))
        fifo_remove(&all.idle, &(*t)->idle);
    pthread_mutex_unlock(&all.lock);
    return err;
}

void topic_use(topic *t)
{
    pthread_mutex_lock(&all.lock);
    t->users++;
    pthread_mutex_unlock(&all.lock);
}

void topic_close(topic *t)
{
    pthread_mutex_lock(&all.lock);
    assert(t->users > 0);
    if (--t->users == 0) {
        if (t->first == atomic_load(&t->end))
            topic_forget(t);
        else
            fifo_append(&all.idle, &t->idle);
    }
    pthread_mutex_unlock(&all.lock);
}

void topic_set_policy(topic *t, topic_policy policy)
{
    pthread_mutex_lock(&t->lock);
    t->policy = policy;
    pthread_mutex_unlock(&t->lock);
}

/* Publishing. */

static void topics_forget_idle_for(size_t size)
{
    if (size > all.options.bytes || atomic_load(&all.kept) <= all.options.bytes - size)
        return;
    pthread_mutex_lock(&all.lock);
    while (atomic_load(&all.kept) > all.options.bytes - size && topics_forget_longest_idle())
        ;
    pthread_mutex_unlock(&all.lock);
}

int topic_publish(topic *t, int64_t id, text event, text bytes)
{
    assert(id >= 0);
    topic_message *m = topic_message_new(id, event, bytes);
    const size_t size = topic_message_size(m);
    topics_forget_idle_for(size);
    pthread_mutex_lock(&t->lock);
    const bool fits = topic_make_room(t, size);
    if (fits) {
        while (atomic_load(&t->end) - t->first >= (uint64_t)all.options.keep)
            topic_drop_oldest(t);
        m->id = id ? id : t->last_id + 1;
        topic_keep(t, m);
        audience_ring_all(&t->audiences);
    }
    pthread_mutex_unlock(&t->lock);
    if (!fits)
        topic_message_release(m);
    else
        atomic_fetch_add_explicit(&topic_counted.published, 1, memory_order_relaxed);
    return fits ? 0 : UV_ENOBUFS;
}

/* All of them. */

static void topic_ring(const void *node, VISIT visit, int depth)
{
    topic *t = *(topic *const *)node;
    (void)depth;
    if (visit != preorder && visit != leaf)
        return;
    pthread_mutex_lock(&t->lock);
    audience_ring_all(&t->audiences);
    pthread_mutex_unlock(&t->lock);
}

void topics_stop(void)
{
    pthread_mutex_lock(&all.lock);
    atomic_store(&all.stopped, true);
    twalk(all.names, topic_ring);
    pthread_mutex_unlock(&all.lock);
}

void topics_done(void)
{
    while (topics_forget_longest_idle())
        ;
    assert(all.count == 0);
}

void topics_loop_end(void) { audience_loop_end(); }

topics_view topics_look(void)
{
    topics_view v = { .subscriptions = atomic_load(&topic_counted.subscriptions), .bytes = atomic_load(&all.kept),
                      .published = atomic_load(&topic_counted.published), .dropped = atomic_load(&topic_counted.dropped),
                      .disconnected = atomic_load(&topic_counted.disconnected) };
    pthread_mutex_lock(&all.lock);
    v.topics = (uint64_t)all.count;
    pthread_mutex_unlock(&all.lock);
    return v;
}
