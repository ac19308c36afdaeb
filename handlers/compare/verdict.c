/* verdict.c - see verdict.h. */
#include "verdict.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *const MODE_NAMES[MODES] = { [MODE_ASYNC] = "async", [MODE_THREADS] = "threads" };

static const char *const SUBJECTS[MODES] = { [MODE_ASYNC] = "The loop", [MODE_THREADS] = "Threads" };
static const char *const OBJECTS[MODES] = { [MODE_ASYNC] = "the loop", [MODE_THREADS] = "threads" };
static const char *const WINS[MODES] = { [MODE_ASYNC] = "wins", [MODE_THREADS] = "win" };
static const char *const STACKS[MODES] = { [MODE_ASYNC] = "task", [MODE_THREADS] = "thread" };

static const double MUCH_MORE = 1.10, MUCH_SLOWER = 1.20, MUCH_MEMORY = 1.5;
enum { LEAST_MEMORY = 4 * 1024 * 1024, LEAST_TAIL_MS = 20, MUCH_OTHERS = 20 };  /* below which a difference is none; per cent */

double figures_per_second(const figures *f) { return f->ns ? (double)f->answers * 1e9 / (double)f->ns : 0; }
double figures_cpu_percent(const figures *f) { return f->ns ? (double)f->cpu * 100 / (double)f->ns : 0; }
size_t figures_memory(const figures *f)     { return f->stacks + f->kernel_stacks + f->rest; }

double figures_cpu_us(const figures *f)
{
    return f->answers ? (double)f->cpu / 1000 / (double)f->answers : 0;
}

double figures_others_percent(const figures *f) { return f->ns ? (double)f->others * 100 / (double)f->ns : 0; }

static double megabytes(size_t bytes) { return (double)bytes / (1024 * 1024); }

/* Why one answers more: of what is known, the first that fits. */
static void verdict_write_why(const figures *w, const figures *l, int loser, char *to, size_t size)
{
    const int winner = MODES - 1 - loser;
    const uint64_t refused_by_loser = l->refused + l->failed, refused_by_winner = w->refused + w->failed;
    if (figures_cpu_us(l) > figures_cpu_us(w) * MUCH_MORE)
        snprintf(to, size, "An answer took %s %.0f us of processor time, and %s %.0f us.", OBJECTS[loser], figures_cpu_us(l),
                 OBJECTS[winner], figures_cpu_us(w));
    else if (refused_by_loser * figures_per_second(w) > refused_by_winner * figures_per_second(l) * MUCH_MORE)
        snprintf(to, size, "%s refused, or failed, %llu requests.", SUBJECTS[loser], (unsigned long long)refused_by_loser);
    else
        snprintf(to, size, "An answer took as much processor time in both, %.0f us and %.0f us, of which %s used %.0f %%, and %s"
                           " %.0f %%.",
                 figures_cpu_us(w), figures_cpu_us(l), OBJECTS[winner], figures_cpu_percent(w), OBJECTS[loser],
                 figures_cpu_percent(l));
}

/* Did one answer more only because others left it more of the machine? */
static bool verdict_is_of_others(const figures *w, const figures *l)
{
    const bool alike = figures_cpu_us(l) <= figures_cpu_us(w) * MUCH_MORE;
    return alike && figures_others_percent(l) >= MUCH_OTHERS && figures_cpu_percent(w) > figures_cpu_percent(l) * MUCH_MORE;
}

static int verdict_by_answers(const figures of[MODES], char *to, size_t size)
{
    const double a = figures_per_second(&of[MODE_ASYNC]), t = figures_per_second(&of[MODE_THREADS]);
    const int winner = a > t ? MODE_ASYNC : MODE_THREADS, loser = MODES - 1 - winner;
    const figures *w = &of[winner], *l = &of[loser];
    if (figures_per_second(w) <= figures_per_second(l) * MUCH_MORE || w->per_second.low <= l->per_second.high ||
        verdict_is_of_others(w, l))
        return VERDICT_NONE;
    const double more = figures_per_second(w), less = figures_per_second(l);
    int n = snprintf(to, size, "%s %s: %.0f answers a second, ", SUBJECTS[winner], WINS[winner], more);
    if (l->answers)
        n += snprintf(to + n, size - (size_t)n, "%.0f %% more than the %.0f of %s. ", (more / less - 1) * 100, less,
                      OBJECTS[loser]);
    else
        n += snprintf(to + n, size - (size_t)n, "and %s gave none. ", OBJECTS[loser]);
    verdict_write_why(w, l, loser, to + n, size - (size_t)n);
    return winner;
}

enum { RATES = 160 };

/* That answers a second do not decide. */
static const char *verdict_rates(const figures of[MODES], char words[RATES])
{
    const double a = figures_per_second(&of[MODE_ASYNC]), t = figures_per_second(&of[MODE_THREADS]);
    if (a <= t * MUCH_MORE && t <= a * MUCH_MORE)
        snprintf(words, RATES, "both give about %.0f answers a second", a);
    else
        snprintf(words, RATES,
                 "that the loop gives %.0f answers a second and threads %.0f may be chance, or other programs' doing", a, t);
    return words;
}

static int verdict_by_tail(const figures of[MODES], char *to, size_t size)
{
    const int winner = of[MODE_ASYNC].p99_ms < of[MODE_THREADS].p99_ms ? MODE_ASYNC : MODE_THREADS, loser = MODES - 1 - winner;
    const figures *w = &of[winner], *l = &of[loser];
    if (l->p99_ms <= w->p99_ms * MUCH_SLOWER || l->p99_ms < w->p99_ms + LEAST_TAIL_MS || l->tail.low <= w->tail.high ||
        figures_others_percent(l) >= MUCH_OTHERS)            /* who had to wait for a processor waited for them */
        return VERDICT_NONE;
    char rates[RATES];
    snprintf(to, size, "%s %s by the slowest: %s, but one answer in a hundred took %s %.1f ms or longer, and %s %.1f ms, beside"
             " what was asked for. Memory: %.1f MB, and %.1f MB.",
             SUBJECTS[winner], WINS[winner], verdict_rates(of, rates), OBJECTS[loser], l->p99_ms, OBJECTS[winner], w->p99_ms,
             megabytes(figures_memory(l)), megabytes(figures_memory(w)));
    return winner;
}

static int verdict_by_memory(const figures of[MODES], char *to, size_t size)
{
    const size_t a = figures_memory(&of[MODE_ASYNC]), t = figures_memory(&of[MODE_THREADS]);
    const int winner = a < t ? MODE_ASYNC : MODE_THREADS, loser = MODES - 1 - winner;
    const figures *w = &of[winner], *l = &of[loser];
    const size_t less = figures_memory(w), more = figures_memory(l);
    if (more - less < LEAST_MEMORY || (double)more <= (double)less * MUCH_MEMORY || w->held == 0 || l->held == 0)
        return VERDICT_NONE;
    char rates[RATES];
    snprintf(to, size, "%s %s by memory: %s, but %d requests at once take %.1f MB of %s, and %.1f MB of %s: for each %.1f KB of"
             " %s stacks, the kernel's part included, and %.1f KB of all else, against %.1f KB of %s stacks and %.1f KB.",
             SUBJECTS[winner], WINS[winner], verdict_rates(of, rates), w->held, megabytes(less), OBJECTS[winner],
             megabytes(more), OBJECTS[loser], (double)(w->stacks + w->kernel_stacks) / 1024 / w->held, STACKS[winner],
             (double)w->rest / 1024 / w->held, (double)(l->stacks + l->kernel_stacks) / 1024 / l->held, STACKS[loser],
             (double)l->rest / 1024 / l->held);
    return winner;
}

static int verdict_by_cpu(const figures of[MODES], char *to, size_t size)
{
    const double a = figures_cpu_us(&of[MODE_ASYNC]), t = figures_cpu_us(&of[MODE_THREADS]);
    const int winner = a < t ? MODE_ASYNC : MODE_THREADS, loser = MODES - 1 - winner;
    enum { LEAST_US = 3, LEAST_PERCENT = 2 };
    if (figures_cpu_us(&of[loser]) <= figures_cpu_us(&of[winner]) * MUCH_MORE + LEAST_US ||
        figures_cpu_percent(&of[loser]) < LEAST_PERCENT)
        return VERDICT_NONE;
    char rates[RATES];
    snprintf(to, size, "%s %s by processor time: %s, and one took %s %.0f us of it, and %s %.0f us.", SUBJECTS[winner],
             WINS[winner], verdict_rates(of, rates), OBJECTS[winner], figures_cpu_us(&of[winner]),
             OBJECTS[loser], figures_cpu_us(&of[loser]));
    return winner;
}

static int verdict_of(const figures of[MODES], char *to, size_t size)
{
    static int (*const BY[])(const figures of[MODES], char *to, size_t size) = {
        verdict_by_answers, verdict_by_tail, verdict_by_memory, verdict_by_cpu,
    };
    const figures *a = &of[MODE_ASYNC], *t = &of[MODE_THREADS];
    for (size_t i = 0; i < sizeof BY / sizeof BY[0]; i++) {
        const int winner = BY[i](of, to, size);
        if (winner != VERDICT_NONE)
            return winner;
    }
    if (a->answers + t->answers == 0)
        snprintf(to, size, "Neither has answered anything: what was asked for is more than this machine can do.");
    else
        snprintf(to, size, "No difference that counts: %.0f answers a second by the loop and %.0f by threads, p99 %.1f and %.1f"
                 " ms, %.1f and %.1f MB. For this load it does not matter how one serves.",
                 figures_per_second(a), figures_per_second(t), a->p99_ms, t->p99_ms,
                 megabytes(figures_memory(a)), megabytes(figures_memory(t)));
    return VERDICT_NONE;
}

int verdict(const figures of[MODES], char sentence[VERDICT_SENTENCE])
{
    const double a = figures_others_percent(&of[MODE_ASYNC]), t = figures_others_percent(&of[MODE_THREADS]);
    sentence[0] = '\0';
    if (!of[MODE_ASYNC].turns || !of[MODE_THREADS].turns)
        return VERDICT_NONE;
    const int winner = verdict_of(of, sentence, VERDICT_SENTENCE);
    const size_t n = strlen(sentence);
    if (a >= MUCH_OTHERS || t >= MUCH_OTHERS)
        snprintf(sentence + n, VERDICT_SENTENCE - n, " Other programs used %.0f %% of a processor in the turns of the loop, and"
                 " %.0f %% in those of threads: what is close may be theirs.", a, t);
    return winner;
}
