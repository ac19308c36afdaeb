/* advice.c - see advice.h. */
#include "advice.h"

#include <stdbool.h>
#include <stddef.h>

const advice_limit_row ADVICE_LIMITS[ADVICE_LIMIT_COUNT] = {
    [LIMIT_ENOUGH]  = { "enough", 100, "requests", "Of fewer, the first ones decide: they meet cold caches and new "
                                                   "connections." },
    [LIMIT_SURE]    = { "sure", 10000, "requests", "As many have usually met a busy hour as well as a quiet one." },
    [LIMIT_WAITS]   = { "waits", 5, "% of the time", "Below it a thread that blocks is hardly ever idle, so nothing is won "
                                                     "by not "
                                                     "blocking. So little in the pool is no reason for it, either." },
    [LIMIT_SHORT]   = { "short", 150, "us a request", "[rendering] microseconds: the way to the pool and back takes some 50 "
                                                      "us, a "
                                                      "good part of anything shorter." },
    [LIMIT_LONG]    = { "long", 1000, "ms a request", "A thread cannot be stopped: what runs for longer outlives its client "
                                                      "and its "
                                                      "deadline. A process is killed." },
    [LIMIT_BLOCKED] = { "blocked", 0.1, "% of the requests", "[log] slow_callback: all others of the loop wait for as long. "
                                                             "One in a "
                                                             "thousand is their p99.9." },
    [LIMIT_FEW]     = { "few", 16, "at once", "So many threads cost a MiB or two, and switch no more often than a loop polls." },
};

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

/* Of a thousand requests; each: nanoseconds of one. */
#define EXAMPLE(each, each_waited, each_computed, each_pooled, times_blocked, at_once)                                       \
    { .requests = 1000, .all = 1000 * (each), .waited = 1000 * (each_waited), .computed = 1000 * (each_computed),             \
      .pooled = 1000 * (each_pooled), .blocked = (times_blocked), .measured = 1000 * (each) / (at_once) }

const advice_model ADVICE_MODELS[ADVICE_MODEL_COUNT] = {
    { "waits, thousands at once", ADVICE_ASYNC, NULL,
      "A task that waits is a page of memory; a thread is a stack, and a place in the scheduler.",
      EXAMPLE(100 * MS, 99 * MS, 50 * US, 0, 0, 5000) },
    { "waits, a few at once", ADVICE_ASYNC_OR_THREADS, NULL,
      "So few threads cost nothing that is noticed, and any library may be called.",
      EXAMPLE(100 * MS, 99 * MS, 50 * US, 0, 0, 5) },
    { "waits, and computes between", ADVICE_ASYNC_WITH_POOL, NULL,
      "The loop holds those that wait; what computes must not keep them waiting.",
      EXAMPLE(100 * MS, 90 * MS, 10 * MS, 0, 0, 500) },
    { "computes, and hardly waits", ADVICE_THREADS, NULL,
      "All processors are busy either way, and there is no way to the pool and back.",
      EXAMPLE(10 * MS, 100 * US, 9 * MS, 0, 0, 2) },
    { "neither", ADVICE_EITHER, NULL,
      "A read and a write of a socket are all there is to it.",
      EXAMPLE(20 * US, 0, 20 * US, 0, 0, 1) },
    { "a library that blocks", ADVICE_ASYNC_WITH_POOL, "threads, or the pool",
      "A loop stands still while it does.",
      EXAMPLE(100 * MS, 90 * MS, 50 * US, 0, 100, 50) },
    { "may crash, leak, or never end", ADVICE_PROCESSES, NULL,
      "A thread takes the server with it, and cannot be stopped. That C has no lock on its interpreter is no reason: threads do "
      "run side by side.",
      EXAMPLE(2000 * MS, 0, 50 * US, 1900 * MS, 0, 2) },
    { "must answer within microseconds", ADVICE_UNKNOWN, "threads of its own, or neither",
      "A loop is as late as its longest turn; a thread as late as the scheduler.", { .requests = 0 } },
};

static const char *const NAMES[ADVICE_WORDS] = {
    [ADVICE_UNKNOWN] = "not enough data",          [ADVICE_EITHER] = "either",
    [ADVICE_ASYNC] = "async",                      [ADVICE_ASYNC_OR_THREADS] = "async or threads",
    [ADVICE_ASYNC_WITH_POOL] = "async with the pool", [ADVICE_THREADS] = "threads",
    [ADVICE_PROCESSES] = "processes",
};

const char *advice_name(advice_word w) { return NAMES[w]; }

double advice_at_once(const advice_figures *f) { return f->measured ? (double)f->all / (double)f->measured : 0; }

static double each(uint64_t ns, const advice_figures *f) { return (double)ns / (double)f->requests; }

static const char *sureness(uint64_t requests)
{
    return requests >= ADVICE_LIMITS[LIMIT_SURE].value ? "quite" : requests * 10 >= ADVICE_LIMITS[LIMIT_SURE].value ? "fairly"
                                                                                                                      : "hardly";
}

advice advice_of(const advice_figures *f)
{
    const char *const sure = sureness(f->requests);
    if (f->requests < ADVICE_LIMITS[LIMIT_ENOUGH].value)
        return (advice){ ADVICE_UNKNOWN, "Too few requests have been measured.", sure };
    const double us = each(f->computed, f) / 1e3, pool_ms = each(f->pooled, f) / 1e6;
    const double waits = f->all ? 100.0 * (double)f->waited / (double)f->all : 0;
    const double blocked = 100.0 * (double)f->blocked / (double)f->requests;
    const bool computes = us > ADVICE_LIMITS[LIMIT_SHORT].value, waits_at_all = waits >= ADVICE_LIMITS[LIMIT_WAITS].value;
    if (us / 1e3 >= ADVICE_LIMITS[LIMIT_LONG].value || pool_ms >= ADVICE_LIMITS[LIMIT_LONG].value)
        return (advice){ ADVICE_PROCESSES, "It computes for so long that one must be able to stop it, and only a process can be "
                                             "stopped.", sure };
    if (blocked >= ADVICE_LIMITS[LIMIT_BLOCKED].value)
        return (advice){ ADVICE_ASYNC_WITH_POOL, "It blocks its loop, and all others there with it: what does so belongs into "
                                                   "the pool.", sure };
    if (computes && !waits_at_all)
        return (advice){ ADVICE_THREADS, "It computes, and waits for nothing: a thread for each connection uses all processors "
                                           "without the way to the pool. On a loop it must be in the pool.", sure };
    if (computes)
        return (advice){ ADVICE_ASYNC_WITH_POOL, "It waits, and computes between: the loop can hold those that wait, if the pool "
                                                   "computes.", sure };
    const double pools = f->all ? 100.0 * (double)f->pooled / (double)f->all : 0;
    if (pools >= ADVICE_LIMITS[LIMIT_WAITS].value && waits_at_all)
        return (advice){ ADVICE_ASYNC_WITH_POOL, "It waits, and what it computes is in the pool already.", sure };
    if (!waits_at_all)
        return (advice){ ADVICE_EITHER, "It neither waits nor computes to speak of: a loop and a thread do the same.", sure };
    if (advice_at_once(f) < ADVICE_LIMITS[LIMIT_FEW].value)
        return (advice){ ADVICE_ASYNC_OR_THREADS, "It waits most of its time, but few were there at once: so many threads would "
                                                    "do as well. With many more, async.", sure };
    return (advice){ ADVICE_ASYNC, "It waits, computes little, and many are there at once: a loop holds them for the price of "
                                     "their memory.", sure };
}
