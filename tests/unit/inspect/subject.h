/* subject.h - a process that is looked at: with loops, tasks, and a callback that never returns.
 *
 *   subject s = subject_start(10000, NULL);
 *   ... target_open(&t, s.process, ...) ...
 *   subject_end(&s);
 *
 * It has so many tasks called "sleeper", which sleep; and one called "parent", which awaits a gather of a task "child" that
 * sleeps, and of a sleep; and a recorder. When subject_start returns its loop is in a callback that counts, and does nothing
 * else ever. */
#ifndef TESTS_SUBJECT_H
#define TESTS_SUBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct subject {
    pid_t             process;
    _Atomic uint64_t *count;                 /* goes on and on */
} subject;

/* damage: what else is done in the process, before the endless callback; NULL: nothing. */
subject subject_start(int sleepers, void (*damage)(void));
bool    subject_goes_on(const subject *s);   /* its callback has counted on since this was called, and it was never stopped */
void    subject_end(subject *s);

#endif
