/* skipped.h - a test for which this machine lacks something says so, and what.
 *
 *     if (!has_ipv6()) {
 *         skipped(__func__, NEEDS_IPV6);
 *         return;
 *     }
 *
 * tests/totals.sh tells of them, and asks the machine itself (tests/support/needs.py): a test that could have run is an error. */
#ifndef TESTS_SKIPPED_H
#define TESTS_SKIPPED_H

#include <stdbool.h>

/* The names that tests/support/needs.py knows. */
#define NEEDS_MOUNTS "mounts"                /* file systems of a process's own */
#define NEEDS_PTRACE "ptrace"                /* to look into another process */
#define NEEDS_PEEK   "peek"                  /* to look into a thread of one's own */
#define NEEDS_IPV6   "ipv6"
#define NEEDS_CGROUP "cgroup"                /* a cgroup (v2) of a test's own, with limits of tasks and memory */

void skipped_begin(void);                    /* once in the program: nothing has been skipped yet */
void skipped(const char *test, const char *need);

/* Mounts a tmpfs with these options on folder, seen by this process only. False, and said, where that is not allowed. */
bool mount_or_skip(const char *test, const char *folder, const char *options);

#endif
