/* process.h - one worker process, seen from its parent: a pid, and our ends of its socket and of its lifeline; and what is
 * counted of all.
 *
 * It is started with posix_spawn, not with fork, which must not be used in a process that has threads
 * and may copy its page tables for long. Nothing here needs a loop; all of it blocks, if only for
 * milliseconds, and belongs on a thread that may. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PROCESS_SOCKET = 3,                      /* the worker's descriptors: of its messages; */
    PROCESS_LIFELINE = 0,                    /* a pipe that is never written: it ends with the parent, and the worker with it */
    PROCESS_GRACE = 500,                     /* ms for a worker that has nothing to do to end by itself */
    PROCESS_REST = 100,                      /* ms after the first start that failed; twice as many after each further */
    PROCESS_LONGEST_REST = 10000,
};

#define PROCESS_ARGUMENT "--worker-process"  /* and behind it the memory it may take */

typedef struct process {
    pid_t pid;                               /* 0: there is none */
    int   fd;                                /* non-blocking; it ends when the process does */
    int   lifeline;                          /* closed when it is gone */
} process;

/* Each is written where it happens, and read by process_pool_count. */
extern struct process_tally {
    atomic_int       workers, running, waiting;              /* running, waiting: jobs */
    _Atomic uint64_t done, refused, killed, started, died;
} process_tally;

/* 0, or a negative error and there is none, nor anything left of it. It may take so many bytes of memory. */
int process_start(process *p, size_t memory);

/* Lets it end by itself within so many milliseconds, then kills it; returns when it is gone. If there is none, nothing
 * happens. died_of: the job of a worker that has died, or "" if it had none, for the log; NULL of one that is ended on
 * purpose. */
void process_end(process *p, int grace_ms, const char *died_of);

uint64_t process_rest_ms(unsigned failures); /* after so many starts that failed one after another */

/* What process_message_step says of a worker that cannot go on: if that wrote what is no answer, the log is told here,
 * and NULL returned; if it has died of the job, that comes back, for process_end. */
const char *process_judge(const process *p, int err, const char *job);

/* For the log. */
void process_log_no_start(int err);          /* one could not be started */
void process_log_late(const process *p, const char *job);    /* it is killed for it */

#endif
