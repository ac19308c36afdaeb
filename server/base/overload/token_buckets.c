/* token_buckets.c - see token_buckets.h. */
#include "token_buckets.h"

#include "server/base/memory.h"

#include <stdatomic.h>
#include <sys/random.h>

enum { WAYS = 8 };                           /* slots in which a key may be: a line of the processor's cache or two */

typedef struct slot {
    _Atomic uint64_t key;                    /* a hash; 0: nobody's */
    _Atomic uint64_t full_at;                /* when it will be full */
} slot;

struct token_buckets {
    uint64_t seed[2];
    size_t   sets;
    slot     slots[];
};

token_buckets *token_buckets_new(int buckets)
{
    const size_t sets = ((size_t)buckets + WAYS - 1) / WAYS;
    token_buckets *t = mem_alloc(sizeof *t + sets * WAYS * sizeof t->slots[0]);
    t->sets = sets;
    if (getrandom(t->seed, sizeof t->seed, GRND_NONBLOCK) < 0)       /* as early as at boot: then by where memory is */
        t->seed[0] = (uint64_t)(uintptr_t)t, t->seed[1] = (uint64_t)(uintptr_t)&sets;
    return t;
}

void token_buckets_free(token_buckets *t) { mem_free(t); }

static uint64_t mixed(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of eight bytes at a time, each of which is mixed with what is secret. */
static uint64_t key_hash(const token_buckets *t, text key)
{
    uint64_t hash = t->seed[0] ^ key.length;
    for (size_t i = 0; i < key.length; i += 8) {
        uint64_t part = 0;
        memcpy(&part, key.at + i, key.length - i < 8 ? key.length - i : 8);
        hash = mixed(hash ^ part ^ 0xa0761d6478bd642fU, t->seed[1] | 1) + t->seed[0];
    }
    hash = mixed(hash ^ t->seed[1], 0xe7037ed1a0b428dbU);
    return hash ? hash : 1;
}

/* The key's, or one that becomes it: that which will be full soonest, has been full for longest, or is nobody's. */
static slot *slot_of(token_buckets *t, uint64_t key, uint64_t now)
{
    slot *const set = &t->slots[key % t->sets * WAYS];
    for (;;) {
        slot *oldest = &set[0];
        uint64_t least = UINT64_MAX;
        for (int i = 0; i < WAYS; i++) {
            if (atomic_load_explicit(&set[i].key, memory_order_relaxed) == key)
                return &set[i];
            const uint64_t full_at = atomic_load_explicit(&set[i].full_at, memory_order_relaxed);
            if (full_at < least)
                least = full_at, oldest = &set[i];
        }
        uint64_t other = atomic_load_explicit(&oldest->key, memory_order_relaxed);
        if (other != key && atomic_compare_exchange_strong(&oldest->key, &other, key)) {
            if (least > now)                 /* it begins with a full one, unless it has been used again meanwhile */
                atomic_compare_exchange_strong(&oldest->full_at, &least, now);
            return oldest;
        }
    }
}

token_state token_buckets_take(token_buckets *t, text key, const token_limit *limit, uint64_t now)
{
    slot *const s = slot_of(t, key_hash(t, key), now);
    const uint64_t each = limit->window / limit->tokens ? limit->window / limit->tokens : 1, all = each * limit->tokens;
    uint64_t full_at = atomic_load_explicit(&s->full_at, memory_order_relaxed), next;
    token_state state;
    do {
        const uint64_t from = full_at > now ? full_at : now;
        state.taken = from - now + each <= all;
        next = state.taken ? from + each : from;
    } while (state.taken && !atomic_compare_exchange_weak(&s->full_at, &full_at, next));
    state.full = next - now;
    state.left = (uint32_t)((all - (state.full < all ? state.full : all)) / each);
    state.wait = state.left > 0 ? 0 : state.full + each - all;
    return state;
}
