/* block.c - see block.h. */
#include "block.h"
#include "memory.h"

enum { CLASSES = 14 };

#define CLASS(n) FREELIST((size_t)BLOCK_SMALLEST << (n), mem_free)

static _Thread_local freelist kept[CLASSES] = {
    CLASS(0), CLASS(1), CLASS(2), CLASS(3), CLASS(4), CLASS(5), CLASS(6), CLASS(7), CLASS(8), CLASS(9),
    CLASS(10), CLASS(11), CLASS(12), CLASS(13),
};

static freelist *block_class(size_t size)
{
    int n = 0;
    if (size > BLOCK_SMALLEST)
        n = 64 - __builtin_clzll((unsigned long long)size - 1) - __builtin_ctz(BLOCK_SMALLEST);
    return &kept[n];
}

void *block_get(size_t least, size_t *size)
{
    if (least > BLOCK_LARGEST || RESERVE_NOTHING) {
        *size = least;
        return mem_resize(NULL, least);
    }
    freelist *f = block_class(least);
    void *block = freelist_get(f);
    *size = f->size;
    return block ? block : mem_resize(NULL, f->size);
}

void block_put(void *block, size_t size)
{
    if (size > BLOCK_LARGEST || RESERVE_NOTHING)
        mem_free(block);
    else
        freelist_put(block_class(size), block);
}

void block_trim(void)
{
    for (int n = 0; n < CLASSES; n++)
        freelist_done(&kept[n]);
}
