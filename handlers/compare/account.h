/* account.h - what this process has taken of the machine by now, told apart by who took it.
 *
 *     cpu_all        processor time of the whole process                         CLOCK_PROCESS_CPUTIME_ID
 *     cpu_loops      that of the loops' threads                                  pthread_getcpuclockid
 *     busy           that of all processes of this machine                      /proc/stat
 *     resident       memory of the process                                       /proc/self/statm
 *     task_stacks    pages of task stacks that are in memory, free ones too      mincore
 *     thread_stacks  those of the threads that have a client                     mincore, of some hundreds of them
 *
 * What the kernel keeps for a thread is no part of the process's memory: its stack there has ACCOUNT_KERNEL_STACK bytes on x86-64
 * and aarch64, and is counted by the number of threads. Buffers of sockets are the same in both modes, and are not counted. */
#ifndef COMPARE_ACCOUNT_H
#define COMPARE_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

enum { ACCOUNT_KERNEL_STACK = 16 * 1024 };

typedef struct account {
    uint64_t cpu_all, cpu_loops, busy;       /* nanoseconds */
    size_t   resident, task_stacks, thread_stacks;           /* bytes */
    int      client_threads;
} account;

account account_take(void);                  /* takes milliseconds where there are thousands of stacks: not for a loop */
uint64_t account_thread_cpu(void);           /* of the calling thread */

#endif
