/* spare_memory.c - see spare_memory.h. */
#include "spare_memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

enum { PARTS = 16, PART = 1024 * 1024 };     /* a part is what glibc asks for when a heap cannot grow in place */

static struct {
    pthread_mutex_t lock;
    void           *parts[PARTS];            /* the first of them are there */
    int             count;
    atomic_bool     is_short;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Under the lock. Data, that nobody touches: so every kind of limit counts it. */
static void fill(void)
{
    while (spare.count < PARTS) {
        void *part = mmap(NULL, PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (part == MAP_FAILED)
            return;
        spare.parts[spare.count++] = part;
    }
    atomic_store(&spare.is_short, false);
}

void spare_memory_set_aside(void)
{
    pthread_mutex_lock(&spare.lock);
    fill();
    pthread_mutex_unlock(&spare.lock);
}

bool spare_memory_release(void)
{
    pthread_mutex_lock(&spare.lock);
    const bool any = spare.count > 0;
    if (any) {
        munmap(spare.parts[--spare.count], PART);
        atomic_store(&spare.is_short, true);
    }
    pthread_mutex_unlock(&spare.lock);
    return any;
}

bool spare_memory_is_short(void)
{
    if (!atomic_load_explicit(&spare.is_short, memory_order_relaxed))
        return false;
    if (pthread_mutex_trylock(&spare.lock) == 0) {           /* else somebody else looks, or needs it just now */
        fill();
        pthread_mutex_unlock(&spare.lock);
    }
    return atomic_load(&spare.is_short);
}
