/* job.h - what worker processes do, and how much of it: what the server, its pools and the workers all know. */
#ifndef PROCESS_JOB_H
#define PROCESS_JOB_H

#include "server/base/buffer.h"
#include "server/base/text.h"

#include <stddef.h>
#include <stdint.h>

typedef struct process_job {
    const char *name;                        /* for the log */
    int       (*run)(text in, buffer *out);  /* in the worker; 0, or a negative error. in is aligned for anything */
} process_job;

enum {
    PROCESS_EDIED = -30101,                  /* the worker died under the job; the log says of what */
    PROCESS_LARGEST = 64 << 20,              /* bytes of in, and of out */
};

typedef struct process_pool_options {
    int      workers;                        /* for each loop */
    int      waiting;                        /* jobs that may wait for one: as workers */
    int      loops;                          /* all blocking threads together have as much as so many loops; 0: as one */
    uint64_t target_ms;                      /* the longest wait there, while more come than can be done; 0: any */
    int      jobs;                           /* after which a worker is replaced */
    size_t   memory;                         /* bytes that a worker may take, beyond what it starts with */
    uint64_t timeout_ms;                     /* of a job that does not say: its wait included */
} process_pool_options;

#endif
