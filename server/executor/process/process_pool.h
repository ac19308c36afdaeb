/* process_pool.h - run functions in worker processes: work that may crash, leak, or never end.
 *
 * A worker is this very program, started anew, with nothing of the server's: no memory, no descriptor,
 * no thread. Whatever a job does there, the server stays as it is. The worker that dies of it, or is killed
 * because its job takes too long, is replaced, and no other job notices.
 *
 *     static int shout(text in, buffer *out) { ... }
 *     const process_job SHOUT = { "shout", shout };
 *     static const process_job *const JOBS[] = { &SHOUT };  all that there are
 *
 *     int main(int argc, char *argv[])
 *     {
 *         process_pool_begin(argc, argv, JOBS, 1);
 *         ...
 *         err = await(in_process(&SHOUT, TEXT("hello"), 1000, arena, &out));
 *
 *   Workers.    They are started when first needed, so that a server that never needs one has none, and stay. Each
 *               loop has its own; blocking threads share theirs, and wait in one queue (blocking_wait.h).
 *   Isolation.  in and out are copied through a socket. A worker has none of the server's descriptors but
 *               standard error, of its environment only what programs need to start, and may take
 *               so much memory. It ends when the server does, even in the middle of a job.
 *   Draining.   A promise that was cancelled settles at once: only this side ever writes to out. */
#ifndef PROCESS_POOL_H
#define PROCESS_POOL_H

#include "job.h"
#include "server/async/promise.h"
#include "server/base/arena.h"

/* First of all in main, with every job there is. In a worker it does not return. */
void process_pool_begin(int argc, char *argv[], const process_job *const jobs[], int count);

/* Before the first use, and before any other thread starts. */
void process_pool_configure(const process_pool_options *options);

/* Runs job on in, in a worker. *out is what it wrote, in the arena, if it returned 0; else the promise settles
 * with what it returned. in, a and out must outlive the promise. ms: how long it may take, its wait
 * included; 0: as long as the options say.
 *   REFUSED_PROCESSES_LINE, _WAIT (refusal.h)   too many wait; or it has waited too long
 *   UV_EAGAIN      no worker can be started
 *   UV_ETIMEDOUT   it took longer; its worker was killed
 *   UV_ECANCELED   it was cancelled, or the blocking thread's client is gone; its worker was killed
 *   UV_EMSGSIZE    in or out is larger than PROCESS_LARGEST
 *   PROCESS_EDIED  its worker died, or wrote what is no answer and was killed */
MUST_AWAIT promise *in_process(const process_job *job, text in, uint64_t ms, arena *a, text *out);

/* On each loop, before loop_done: cancels what is left, and settles when this loop's workers are gone. */
MUST_AWAIT promise *process_pool_close(void);
void process_pool_end(void);                 /* the same for blocking threads, when none of them is left */

/* Of all workers together, as they are now. */
typedef struct process_pool_counts {
    int      workers, running, waiting;      /* running, waiting: jobs */
    uint64_t done, refused, killed;          /* jobs: killed for want of time, or since their answer is no longer wanted */
    uint64_t started, died;                  /* workers: died by themselves, or of an answer that is none */
} process_pool_counts;

process_pool_counts process_pool_count(void);

#endif
