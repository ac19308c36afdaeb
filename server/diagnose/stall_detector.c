/* stall_detector.c - see stall_detector.h. */
#include "stall_detector.h"
#include "server/async/loop.h"
#include "remote_unwind.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "symbols.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SAMPLE_TIMEOUT = 1000 };                   /* ms; a thread that the kernel holds does not run its handler */

struct stall_report {
    stall_report *next;
    int           number;                    /* of the loop */
    label         label;
    uint64_t      ms;
    bool          over, sampled, quiet;
    uint64_t      held;                      /* others of that label, which were not logged */
    stack_sample  sample;
};

static uint64_t now_ms(void) { return uv_hrtime() / 1000000; }

static stall_report *stall_report_add(const stall_detector *d, uint64_t ms, stall_report **reports)
{
    stall_report *r = mem_alloc(sizeof *r);
    r->number = d->number;
    r->ms = ms;
    while (*reports)
        reports = &(*reports)->next;
    return *reports = r;
}

static void stall_report_sample(stall_detector *d, uint64_t ms, const stack_sample *sample, stall_report **reports)
{
    stall_report *r = stall_report_add(d, ms, reports);
    d->state = STALL_REPORTED;
    if (sample) {
        r->sampled = true;
        r->sample = *sample;
        d->label = sample->on_behalf.label;
    }
    r->label = d->label;
    d->entry = stall_table_count(d->label, sample);
    r->quiet = d->quiet = !stall_table_may_log(d->label, now_ms(), &r->held);
    label_count_blocked(d->label);
}

/* A thread that sleeps is not to be woken: all that its sample would have is read from outside. */
static bool sample_from_outside(const stall_detector *d, stack_sample *sample)
{
    const scope *at = NULL;
    sample->count = remote_unwind(d->id, sample->frames, STACK_SAMPLE_FRAMES);
    return sample->count > 0 && remote_read((uintptr_t)d->entered, &at, sizeof(scope *)) &&
           remote_read((uintptr_t)(at ? at : d->own), &sample->on_behalf, sizeof sample->on_behalf) &&
           loop_activity_sequence(d->sampler.activity) == d->sequence;
}

static void stall_sample(stall_detector *d, uint64_t now, stall_report **reports)
{
    stack_sample sample;
    if (sample_from_outside(d, &sample)) {
        stall_report_sample(d, now - d->since, &sample, reports);
        return;
    }
    d->state = STALL_SAMPLING;
    d->sampled = now;
    stack_sampler_request(&d->sampler, d->thread);
}

static void stall_goes_on(stall_detector *d, uint64_t slow, uint64_t now, stall_report **reports)
{
    stack_sample sample;
    if (d->state == STALL_NONE && now - d->since >= slow)
        stall_sample(d, now, reports);
    else if (d->state == STALL_SAMPLING && stack_sampler_take(&d->sampler, &sample))
        stall_report_sample(d, now - d->since, sample.sequence == d->sequence ? &sample : NULL, reports);
    else if (d->state == STALL_SAMPLING && now - d->sampled > SAMPLE_TIMEOUT)
        stall_report_sample(d, now - d->since, NULL, reports);
}

static void stall_ends(stall_detector *d, uint64_t now, stall_report **reports)
{
    stack_sample sample;
    const bool taken = d->state == STALL_SAMPLING && stack_sampler_take(&d->sampler, &sample) && sample.sequence == d->sequence;
    if (d->state == STALL_SAMPLING)
        stall_report_sample(d, now - d->since, taken ? &sample : NULL, reports);
    if (d->state == STALL_REPORTED) {
        stall_report *r = stall_report_add(d, now - d->since, reports);
        r->over = true;
        r->quiet = d->quiet;
        d->entry->ms += r->ms;
        r->label = d->label;
        label_note_blocked(d->label, r->ms);
    }
    d->state = STALL_NONE;
    d->label = 0;
}

bool stall_detector_look(stall_detector *d, uint64_t slow, uint64_t late, stall_report **reports)
{
    const uint64_t sequence = loop_activity_sequence(d->sampler.activity), now = now_ms();
    if (late > slow)                         /* perhaps the process was stopped, and its loops with it */
        d->since = now - d->since > late ? d->since + late : now;
    if (sequence == d->sequence && sequence & 1) {
        stall_goes_on(d, slow, now, reports);
    } else {
        stall_ends(d, now, reports);
        d->sequence = sequence;
        d->since = now;
    }
    return d->state != STALL_NONE;
}

void stall_detector_begin(stall_detector *d, int number)
{
    d->number = number;
    d->thread = pthread_self();
    d->id = (pid_t)syscall(SYS_gettid);
    d->entered = &scope_entered;
    d->own = &scope_thread;
    d->since = now_ms();
    d->sampler.activity = loop_activity_here();
    stack_sampler_begin(&d->sampler);
}

void stall_detector_end(stall_detector *d, stall_report **reports)
{
    stall_ends(d, now_ms(), reports);           /* its last callback, if that was one */
    stack_sampler_end();
}

static void sample_write(const stack_sample *t, char *to, size_t size)
{
    symbols *s = symbols_open();
    size_t length = 0;
    for (int i = 0; i < t->count && length + 3 < size; i++) {
        if (i > 0)
            length += (size_t)snprintf(to + length, size - length, " < ");
        length += symbols_frame(s, t->frames[i], to + length, size - length);
    }
    symbols_close(s);
}

static void stall_report_log(const stall_report *r)
{
    char stack[1600] = "stack unavailable", who[160] = "";
    const unsigned long long ms = r->ms;
    char more[64] = "";
    const char *by = r->label ? " by " : "", *whom = r->label ? label_name(r->label) : "";
    if (r->quiet)
        return;
    if (r->over) {
        log_warning("loop %d was blocked for %llu ms%s%s", r->number, ms, by, whom);
        return;
    }
    if (r->sampled)
        sample_write(&r->sample, stack, sizeof stack);
    if (r->sample.on_behalf.since)
        snprintf(who, sizeof who, " (%s, %u ms old)", r->sample.on_behalf.name, scope_age(&r->sample.on_behalf, now_ms()));
    if (r->held)
        snprintf(more, sizeof more, " (and %llu more since the last line)", (unsigned long long)r->held);
    log_warning("loop %d is blocked, for %llu ms by now%s%s%s: %s%s", r->number, ms, by, whom, who, stack, more);
}

void stall_reports_log(stall_report *first)
{
    for (stall_report *next; first; first = next) {
        next = first->next;
        stall_report_log(first);
        mem_free(first);
    }
}
