/* label.h - names for what code runs for, and what is counted by them.
 *
 * A label is a small number that stands for a name, such as a route's. It travels with the work
 * (scope.h): what runs for a route has its label, and so have the promises and tasks that it makes,
 * and what follows those. So what goes wrong in any of them is known by its route.
 *
 *   Ownership.  The names are copied, and stay until the process ends.
 *   Threads.    All of it is for any thread. */
#ifndef LABEL_H
#define LABEL_H

#include <stddef.h>
#include <stdint.h>

typedef uint16_t label;                      /* 0: no name's, "other" */

enum { LABELS = 1024, LABEL_LENGTHS = 24 };

/* The one of that name, made when it is first asked for; 0 once there are as many as there may be. */
label       label_of(const char *name);
const char *label_name(label l);             /* "other" of 0 */
int         label_count(void);               /* labels below it have been made */

void label_count_blocked(label l);           /* it has blocked a loop once more */
void label_note_blocked(label l, uint64_t ms);               /* and for so long, as it turned out */
void label_note_stack(label l, size_t used); /* bytes of a stack */

typedef struct label_counts {
    uint64_t blocked, longest;               /* times; and the longest of them, in milliseconds */
    size_t   stack;                          /* the most of any of its stacks */
    uint64_t lengths[LABEL_LENGTHS];  /* how many of those that are over were how long, as loop_latency_bound has it */
} label_counts;

/* Shows each label for which anything has been counted. */
void label_each(void (*show)(const char *name, const label_counts *c, void *arg), void *arg);

#endif
