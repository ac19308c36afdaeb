/* pool_internal.h - the inside of process_pool.h: its two pools, of each loop and of the blocking threads. */
#ifndef POOL_INTERNAL_H
#define POOL_INTERNAL_H

#include "job.h"
#include "server/async/promise.h"
#include "server/base/arena.h"

enum {
    MOST_WORKERS = 1024,                     /* of one loop */
    WORKER_START = 10000,                    /* ms until a new worker must have said hello */
};

extern process_pool_options process_pool_here;

typedef struct process_call {                /* one call of in_process */
    int         number;                      /* of the job */
    const char *name;
    text        in;
    uint64_t    ms;
    arena      *arena;
    text       *out;
} process_call;

/* loop_pool.c with slot.c. */
void loop_pool_begin(void);                  /* before any other thread starts */
MUST_AWAIT promise *loop_pool_call(const process_call *c);
MUST_AWAIT promise *loop_pool_close(void);

/* blocking_pool.c. */
void blocking_pool_open(void);
int  blocking_pool_call(const process_call *c);
void blocking_pool_close(void);

#endif
