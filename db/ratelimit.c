/* ratelimit.c - see ratelimit.h. */
#include "ratelimit.h"

#include <pthread.h>
#include <stdint.h>
#include <uv.h>

enum { KINDS = 32 };

static const uint64_t SECOND = 1000000000;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind { const char *name; int code; uint64_t logged; unsigned long unsaid; } kinds[KINDS];

long ratelimit_before(const char *name, int code)
{
    const uint64_t now = uv_hrtime();
    struct kind *k = &kinds[((uintptr_t)name / 8 + (unsigned)code) % KINDS];
    long before = 0;

    pthread_mutex_lock(&lock);
    if (k->name != name || k->code != code)
        *k = (struct kind){ .name = name, .code = code, .logged = now };
    else if (now - k->logged < SECOND) {
        k->unsaid++;
        before = -1;
    } else {
        before = (long)k->unsaid;
        k->unsaid = 0;
        k->logged = now;
    }
    pthread_mutex_unlock(&lock);
    return before;
}
