/* unawaited_log.c - see unawaited_log.h. A handler with this mistake makes it in every request: so the table is by place. */
#include "unawaited_log.h"
#include "server/base/log.h"
#include "symbols.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum { PLACES = 128, PAUSE = 1000 };         /* ms between two lines on one place */

typedef struct entry {
    promise_origin from;
    const char    *scope;
    uint64_t       times, due;               /* since the last line; when the next may be, by uv_hrtime in ms */
} entry;

static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;
static entry            entries[PLACES];     /* under the lock, as is used */
static int              used;
static bool (*_Atomic wake_up)(void);

void unawaited_log_install(void)                 { unawaited_report_to(unawaited_log_note); }
void unawaited_log_set_wake(bool (*wake)(void))  { atomic_store(&wake_up, wake); }

static void count_at_place(const promise_origin *from, const char *scope)
{
    int i = 0;
    while (i < used && (entries[i].from.place != from->place || entries[i].from.maker != from->maker))
        i++;
    if (i == PLACES)
        return;
    if (i == used)
        entries[used++] = (entry){ .from = *from, .scope = scope };
    entries[i].times++;
}

void unawaited_log_note(const promise_origin *from, const char *scope)
{
    bool (*const wake)(void) = atomic_load(&wake_up);
    pthread_mutex_lock(&lock);
    count_at_place(from, scope);
    pthread_mutex_unlock(&lock);
    if (!wake || !wake())
        unawaited_log_flush(false);
}

/* Takes one that may be logged; else *next is when there will be one. */
static bool take_due(entry *e, bool all, uint64_t now, uint64_t *next)
{
    *next = UINT64_MAX;
    for (int i = 0; i < used; i++) {
        if (entries[i].times == 0)
            continue;
        if (all || entries[i].due <= now) {
            *e = entries[i];
            entries[i].times = 0;
            entries[i].due = now + PAUSE;
            return true;
        }
        if (entries[i].due - now < *next)
            *next = entries[i].due - now;
    }
    return false;
}

static void log_entry(const entry *e)
{
    char place[256], times[48] = "";
    symbols *s = symbols_open();
    symbols_place(s, symbols_call(e->from.place), place, sizeof place);
    symbols_close(s);
    if (e->times > 1)
        snprintf(times, sizeof times, ", %llu times", (unsigned long long)e->times);
    log_warning("%s() was called at %s by %s and never awaited%s (%s)", e->from.maker, place, e->scope, times,
                label_name(e->from.label));
}

uint64_t unawaited_log_flush(bool all)
{
    uint64_t next;
    for (entry e;;) {
        pthread_mutex_lock(&lock);
        const bool any = take_due(&e, all, uv_hrtime() / 1000000, &next);
        pthread_mutex_unlock(&lock);
        if (!any)
            return next;
        log_entry(&e);
    }
}
