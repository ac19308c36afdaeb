/* client_threads.c - see client_threads.h. */
#include "client_threads.h"
#include "server/http/footprint.h"
#include "server/diagnose/task_dump.h"
#include "server/base/log.h"
#include "server/base/observe/layout.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MANY_ENDED = 256 };                   /* threads that have ended: what they have freed is worth a look */

static const client_threads *_Atomic serving;        /* for who looks from outside: NULL while none does */

static const layout_entry THREADS_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("threads", &serving),
    LAYOUT_FIELD("threads.connections", client_threads, connections),
    LAYOUT_FIELD("threads.count", client_threads, count),
    LAYOUT_SIZE("thread", thread_connection),
    LAYOUT_FIELD("thread.node", thread_connection, node),
    LAYOUT_FIELD("thread.idle", thread_connection, idle),
    LAYOUT_FIELD("thread.answering", thread_connection, answering),
    LAYOUT_FIELD("thread.since", thread_connection, since),
    LAYOUT_FIELD("thread.thread", thread_connection, thread),
};

static pthread_mutex_t serving_lock = PTHREAD_MUTEX_INITIALIZER;     /* for who looks from inside: it stays meanwhile */

/* The pages of a stack that are in memory. */
static size_t thread_stack_pages(const thread_connection *c, size_t size, size_t page)
{
    unsigned char in_memory[1024];
    const uintptr_t top = atomic_load_explicit(&c->stack, memory_order_relaxed);
    size_t count = size / page < sizeof in_memory ? size / page : sizeof in_memory, pages = 0;
    if (!top || mincore((void *)(top - count * page), count * page, in_memory))      /* NOLINT(performance-no-int-to-ptr) */
        return 0;
    for (size_t i = 0; i < count; i++)
        pages += in_memory[i] & 1;
    return pages;
}

int footprint_threads(size_t *stacks)
{
    enum { LOOKED_AT = 256, LOWEST = 64 * 1024 };            /* threads; bytes of a stack that none is deep enough to use */
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = 0, looked_at = 0, i = 0;
    int count = 0;
    *stacks = 0;
    pthread_mutex_lock(&serving_lock);
    client_threads *const all = (client_threads *)atomic_load(&serving);
    if (all) {
        pthread_mutex_lock(&all->lock);
        count = all->count;
        const size_t step = (size_t)count / LOOKED_AT + 1, size = all->shared.config->threads.stack - LOWEST;
        for (const list_node *n = all->connections.first; n; n = n->next)
            if (i++ % step == 0) {
                pages += thread_stack_pages(container_of(n, thread_connection, node), size, page);
                looked_at++;
            }
        pthread_mutex_unlock(&all->lock);
    }
    pthread_mutex_unlock(&serving_lock);
    if (looked_at)
        *stacks = pages * page * i / looked_at;
    return count;
}

void threads_add(client_threads *all, thread_connection *c)
{
    pthread_mutex_lock(&all->lock);
    list_push(&all->connections, &c->node);
    all->count++;
    pthread_mutex_unlock(&all->lock);
}

void threads_remove(client_threads *all, thread_connection *c)
{
    pthread_mutex_lock(&all->lock);
    list_remove(&c->node);
    pthread_mutex_unlock(&all->lock);
}

void threads_count_down(client_threads *all)
{
    pthread_mutex_lock(&all->lock);
    if (--all->count == 0 && atomic_load(&all->shared.draining))
        eventfd_write(all->emptied, 1);
    if (++all->ended == MANY_ENDED)
        eventfd_write(all->many_ended, 1);
    pthread_mutex_unlock(&all->lock);
}

int threads_count(client_threads *all)
{
    pthread_mutex_lock(&all->lock);
    const int now = all->count;
    pthread_mutex_unlock(&all->lock);
    return now;
}

void threads_log(void)
{
    pthread_mutex_lock(&serving_lock);
    client_threads *const all = (client_threads *)atomic_load(&serving);
    if (all) {
        pthread_mutex_lock(&all->lock);
        log_list("there are %d threads with a client", all->count);
        for (const list_node *n = all->connections.first; n; n = n->next)
            thread_connection_log(container_of(n, thread_connection, node));
        pthread_mutex_unlock(&all->lock);
    }
    pthread_mutex_unlock(&serving_lock);
}

void threads_show(const client_threads *all)
{
    atomic_store(&serving, all);
    task_dump_also(threads_log);
}

void threads_hide(void)
{
    task_dump_also(NULL);
    pthread_mutex_lock(&serving_lock);
    atomic_store(&serving, NULL);
    pthread_mutex_unlock(&serving_lock);
}
