/* latencies.c - see latencies.h. */
#include "latencies.h"

enum { SUB_BITS = 6 };

static int latencies_place(uint64_t us)
{
    if (us < LATENCIES_SUB)
        return (int)us;
    const int exponent = 63 - __builtin_clzll(us) - SUB_BITS;        /* of what one count stands for */
    const int place = (exponent + 1) * LATENCIES_SUB + (int)(us >> exponent) - LATENCIES_SUB;
    return place < LATENCIES_COUNTS ? place : LATENCIES_COUNTS - 1;
}

/* The largest that is counted there. */
static uint64_t latencies_bound(int place)
{
    if (place < LATENCIES_SUB)
        return (uint64_t)place;
    const int exponent = place / LATENCIES_SUB - 1;
    return (((uint64_t)(place % LATENCIES_SUB + LATENCIES_SUB) + 1) << exponent) - 1;
}

void latencies_add(latencies *l, uint64_t us)
{
    l->counts[latencies_place(us)]++;
    l->count++;
}

void latencies_merge(latencies *l, const latencies *other)
{
    for (int i = 0; i < LATENCIES_COUNTS; i++)
        l->counts[i] += other->counts[i];
    l->count += other->count;
}

uint64_t latencies_percentile(const latencies *l, int percent)
{
    const uint64_t wanted = (l->count * (uint64_t)percent + 99) / 100;
    uint64_t so_far = 0;
    int i = 0;
    for (; i < LATENCIES_COUNTS; i++)
        if ((so_far += l->counts[i]) >= wanted)
            break;
    return l->count ? latencies_bound(i < LATENCIES_COUNTS ? i : LATENCIES_COUNTS - 1) : 0;
}
