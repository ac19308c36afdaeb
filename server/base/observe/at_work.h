/* at_work.h - what a thread that runs no loop does right now: a query of SQLite's, a job of the pool. For who looks (layout.h):
 * a recorder has it only when it is over.
 *
 *     at_work_begin(&w->at_work, "sqlite reader", 2);        once, on its thread
 *     ...
 *     at_work_on(&w->at_work, "user_by_id", label, recorder_clock());
 *     ...
 *     at_work_idle(&w->at_work);
 *
 * It costs a job four stores.
 *
 *   Ownership.  It stays where it is from at_work_begin to at_work_end. Texts are static.
 *   Threads.    All is for its own thread. Who looks may see half of one job and half of the next. */
#ifndef AT_WORK_H
#define AT_WORK_H

#include "server/base/list.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct at_work {
    list_node            node;               /* among all; {0}: it has not begun */
    const char          *name;               /* of the thread, with its number among those of that name, from 1 on */
    int                  number;
    pid_t                thread;             /* the kernel's number of it */
    _Atomic(const char *) what;              /* NULL: nothing */
    _Atomic uint64_t     since;              /* nanoseconds of uv_hrtime's clock */
    _Atomic uint16_t     label;              /* for whom (server/async/label.h) */
} at_work;

void at_work_begin(at_work *w, const char *name, int number);
void at_work_end(at_work *w);                /* no-op if it has not begun */

void at_work_on(at_work *w, const char *what, uint16_t label, uint64_t clock);       /* since then, by recorder_clock */

static inline void at_work_idle(at_work *w) { atomic_store_explicit(&w->what, NULL, memory_order_relaxed); }

#endif
