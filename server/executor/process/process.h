/* process.h - one worker process, seen from its parent: a pid, and our end of its socket.
 *
 * It is started with posix_spawn, not with fork, which must not be used in a process that has threads
 * and may copy its page tables for long. Nothing here needs a loop; all of it blocks, if only for
 * milliseconds, and belongs on a thread that may. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <sys/types.h>

enum {
    PROCESS_SOCKET = 3,                      /* the worker's descriptor */
    PROCESS_GRACE = 500,                    /* ms for a worker that has nothing to do to end by itself */
};

#define PROCESS_ARGUMENT "--worker-process"  /* and behind it the memory it may take */

typedef struct process {
    pid_t pid;                               /* 0: there is none */
    int   fd;                                /* non-blocking; it ends when the process does */
} process;

/* 0, or a negative error and there is none, nor anything left of it. It may take so many bytes of memory. */
int process_start(process *p, size_t memory);

/* Lets it end by itself within so many milliseconds, then kills it; returns when it is gone, with its status as
 * waitpid has it. If there is none, nothing happens. */
int process_end(process *p, int grace_ms);

/* "was killed by signal 11 (Segmentation fault)", "ended with 3" */
void process_explain(int status, char *words, size_t size);

#endif
