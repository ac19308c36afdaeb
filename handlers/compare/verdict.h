/* verdict.h - what a comparison has shown: its figures, and a sentence made of them that says which mode wins, and by what.
 *
 * In this order: answers a second; then how long the slowest of a hundred waited; then memory; then processor time of an
 * answer. The first in which they differ by more than chance would explain decides: by more than a tenth (of p99, a fifth; of
 * memory, a half), and, where a mode had several turns, in each of them. Answers a second do not decide if an answer took both
 * as much processor time, and one only had more of it because other programs had less; nor does the slowest while others are
 * busy. If they differ in none, it says so. */
#ifndef COMPARE_VERDICT_H
#define COMPARE_VERDICT_H

#include "server/config/config.h"

#include <stddef.h>
#include <stdint.h>

enum { VERDICT_SENTENCE = 800, MODES = 2, VERDICT_NONE = MODES };

typedef struct range { double low, high; } range;            /* the least and the most of all turns */

typedef struct figures {                     /* of one mode, of all its turns together; memory: the most of them */
    int      turns, connections, held, threads;              /* those: the most at once */
    uint64_t ns;                             /* that were measured */
    uint64_t answers, refused, failed;
    uint64_t cpu, others;                    /* nanoseconds meanwhile; others: of other processes of the machine */
    uint64_t opening_ms;                     /* the longest until all connections stood */
    double   p50_ms, p99_ms;
    range    per_second, tail;               /* of the turns: answers a second, and p99 in milliseconds */
    size_t   stacks, kernel_stacks, rest;    /* bytes: of tasks or threads; the kernel's of threads; requests, buffers, heap */
} figures;

double figures_per_second(const figures *f);
double figures_cpu_us(const figures *f);     /* of an answer with 200, refusals included; 0 without one */
double figures_cpu_percent(const figures *f);                /* of one processor */
double figures_others_percent(const figures *f);             /* the same, that others had */
size_t figures_memory(const figures *f);

/* The winner, or VERDICT_NONE; of is indexed by mode. Figures without a turn: VERDICT_NONE, and an empty sentence. */
int verdict(const figures of[MODES], char sentence[VERDICT_SENTENCE]);

extern const char *const MODE_NAMES[MODES];  /* "async", "threads" */

#endif
