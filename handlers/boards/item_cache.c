/* item_cache.c - see item_cache.h. Places are an array; a lock guards many, one behind the other in turn. */
#include "item_cache.h"
#include "server/base/memory.h"

#include <pthread.h>

enum { PLACES = 1 << 16, LOCKS = 256, MOST_TEXT = 1024 };    /* bytes of an item's texts: larger ones are not kept */

struct place {
    item       *kept;                        /* owned: with its texts behind it; NULL: none */
    uint64_t    until;
    item_ticket now;                         /* how often something was forgotten here */
};

static struct place    places[PLACES];
static pthread_mutex_t locks[LOCKS] = { [0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER };

static struct place *place_lock(int64_t id)
{
    const size_t at = (uint64_t)id % PLACES;
    pthread_mutex_lock(&locks[at % LOCKS]);
    return &places[at];
}

static void place_unlock(int64_t id) { pthread_mutex_unlock(&locks[(uint64_t)id % LOCKS]); }

static size_t item_text(const item *i) { return i->name.length + i->category.length + i->tags_json.length; }

static text put(char **at, text t)
{
    const text there = { *at, t.length };
    *at = mempcpy(*at, t.at, t.length);
    return there;
}

/* to is room for the item and its texts. */
static item *item_copy(void *to, const item *from)
{
    item *copy = to;
    char *at = (char *)(copy + 1);
    *copy = *from;
    copy->name = put(&at, from->name);
    copy->category = put(&at, from->category);
    copy->tags_json = put(&at, from->tags_json);
    return copy;
}

bool item_cache_find(int64_t id, uint64_t now, arena *a, item *found, item_ticket *ticket)
{
    const struct place *const p = place_lock(id);
    const bool there = p->kept && p->kept->id == id && now < p->until;
    if (there)
        *found = *item_copy(arena_room(a, sizeof *p->kept + item_text(p->kept)), p->kept);
    else
        *ticket = p->now;
    place_unlock(id);
    return there;
}

void item_cache_keep(const item *i, uint64_t now, item_ticket ticket)
{
    if (item_text(i) > MOST_TEXT)
        return;
    item *copy = item_copy(mem_resize(NULL, sizeof *i + item_text(i)), i);
    struct place *const p = place_lock(i->id);
    if (p->now == ticket) {
        item *const before = p->kept;
        p->kept = copy;
        p->until = now + ITEM_CACHE_LIFETIME;
        copy = before;
    }
    place_unlock(i->id);
    mem_free(copy);
}

void item_cache_forget(int64_t id)
{
    struct place *const p = place_lock(id);
    item *const before = p->kept;
    p->kept = NULL;
    p->now++;
    place_unlock(id);
    mem_free(before);
}
