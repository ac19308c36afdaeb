/* pool_internal.h - the inside of process_pool.h: what the loops' pools and the blocking threads' have in common. */
#ifndef PROCESSES_POOL_H
#define PROCESSES_POOL_H

#include "process.h"
#include "message.h"
#include "process_pool.h"

#include <stdatomic.h>

enum {
    MOST_WORKERS = 1024,                     /* of one loop */
    WORKER_START = 10000,                    /* ms until a new worker must have said hello */
    WORKER_REST = 100,                       /* ms after the first start that failed; twice as many after each further */
    WORKER_LONGEST_REST = 10000,
};

extern process_pool_options processes_here;     /* the options */

/* Each is written where it happens, and read by process_pool_count. */
extern struct processes_tally {
    atomic_int       workers, running, waiting;
    _Atomic uint64_t done, refused, killed, started, died;
} processes_tally;

uint64_t worker_rest(unsigned failures);     /* ms, after so many starts that failed one after another */

/* process_start and process_end, counted. died_of: the job of a worker that has died, or "" if it had none, for the
 * log; NULL of one that is ended on purpose. */
int  worker_start(process *p);
void worker_end(process *p, int grace_ms, const char *died_of);

/* For the log. */
void worker_failed(int err);                 /* one could not be started */
void worker_late(const process *p, const char *job);         /* it is killed for it */

/* What process_call_step says of a worker that cannot go on: if it talks nonsense, the log is told here, and NULL
 * returned; if it has died of the job, that comes back, for worker_end. */
const char *worker_judge(const process *p, int err, const char *job);

/* loop_pool.c with slot.c, and blocking_pool.c: in_process, of the job with that number. */
typedef struct process_task {
    int         number;
    const char *name;
    text        in;
    uint64_t    ms;
    arena      *arena;
    text       *out;
} process_task;

void processes_on_loop_begin(void);          /* before any other thread starts */
MUST_AWAIT promise *processes_on_loop(const process_task *t);
MUST_AWAIT promise *processes_on_loop_close(void);

int  processes_in_plain(const process_task *t);
void processes_in_plain_open(void);
void processes_in_plain_close(void);

#endif
