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

enum { NO_ANSWER = 1000 };                   /* ms; a thread that the kernel holds does not run its handler */

struct report {
    report   *next;
    int       number;                        /* of the loop */
    label     label;
    uint64_t  ms;
    bool      over, seen;                    /* seen: there is a stack_sample */
    stack_sample said;
};

static uint64_t now_ms(void) { return uv_hrtime() / 1000000; }

static report *add(const stall_detector *w, uint64_t ms, report **reports)
{
    report *r = mem_alloc(sizeof *r);
    r->number = w->number;
    r->ms = ms;
    while (*reports)
        reports = &(*reports)->next;
    return *reports = r;
}

static void testify(stall_detector *w, uint64_t ms, const stack_sample *said, report **reports)
{
    report *r = add(w, ms, reports);
    w->state = REPORTED;
    if (said) {
        r->seen = true;
        r->said = *said;
        w->label = said->on_behalf.label;
    }
    r->label = w->label;
    label_count_blocked(w->label);
}

/* The thread sleeps, and is not to be woken: all that it would tell is read from outside. */
static bool look_from_outside(const stall_detector *w, stack_sample *t)
{
    const scope *at = NULL;
    t->count = remote_unwind(w->id, t->places, STACK_SAMPLE_PLACES);
    return t->count > 0 && remote_read((uintptr_t)w->entered, &at, sizeof at) &&
           remote_read((uintptr_t)(at ? at : w->own), &t->on_behalf, sizeof t->on_behalf) &&
           loop_activity_sequence(w->sampler.activity) == w->beats;
}

static void question(stall_detector *w, uint64_t now, report **reports)
{
    stack_sample t;
    if (look_from_outside(w, &t)) {
        testify(w, now - w->since, &t, reports);
        return;
    }
    w->state = QUESTIONED;
    w->asked = now;
    stack_sampler_ask(&w->sampler, w->thread);
}

static void still_blocked(stall_detector *w, uint64_t slow, uint64_t now, report **reports)
{
    stack_sample t;
    if (w->state == FINE && now - w->since >= slow)
        question(w, now, reports);
    else if (w->state == QUESTIONED && stack_sampler_answer(&w->sampler, &t))
        testify(w, now - w->since, t.beats == w->beats ? &t : NULL, reports);
    else if (w->state == QUESTIONED && now - w->asked > NO_ANSWER)
        testify(w, now - w->since, NULL, reports);
}

static void went_on(stall_detector *w, uint64_t now, report **reports)
{
    stack_sample t;
    const bool answered = w->state == QUESTIONED && stack_sampler_answer(&w->sampler, &t) && t.beats == w->beats;
    if (w->state == QUESTIONED)
        testify(w, now - w->since, answered ? &t : NULL, reports);
    if (w->state == REPORTED) {
        report *r = add(w, now - w->since, reports);
        r->over = true;
        r->label = w->label;
        label_note_blocked(w->label, r->ms);
    }
    w->state = FINE;
    w->label = 0;
}

bool stall_detector_look(stall_detector *w, uint64_t slow, uint64_t late, report **reports)
{
    const uint64_t beats = loop_activity_sequence(w->sampler.activity), now = now_ms();
    if (late > slow)                         /* perhaps the process was stopped, and its loops with it */
        w->since = now - w->since > late ? w->since + late : now;
    if (beats == w->beats && beats & 1) {
        still_blocked(w, slow, now, reports);
    } else {
        went_on(w, now, reports);
        w->beats = beats;
        w->since = now;
    }
    return w->state != FINE;
}

void stall_detector_begin(stall_detector *w, int number)
{
    w->number = number;
    w->thread = pthread_self();
    w->id = (pid_t)syscall(SYS_gettid);
    w->entered = &scope_entered;
    w->own = &scope_thread;
    w->since = now_ms();
    w->sampler.activity = loop_activity_here();
    stack_sampler_begin(&w->sampler);
}

void stall_detector_end(stall_detector *w, report **reports)
{
    went_on(w, now_ms(), reports);           /* its last callback, if that was one */
    stack_sampler_end();
}

static void write_stack(const stack_sample *t, char *to, size_t size)
{
    symbols *s = symbols_open();
    size_t length = 0;
    for (int i = 0; i < t->count && length + 3 < size; i++) {
        if (i > 0)
            length += (size_t)snprintf(to + length, size - length, " < ");
        length += symbols_frame(s, t->places[i], to + length, size - length);
    }
    symbols_close(s);
}

static void log_report(const report *r)
{
    char stack[1600] = "where, it did not say in time", who[160] = "";
    const unsigned long long ms = r->ms;
    const char *by = r->label ? " by " : "", *whom = r->label ? label_name(r->label) : "";
    if (r->over) {
        log_warning("loop %d was blocked for %llu ms%s%s", r->number, ms, by, whom);
        return;
    }
    if (r->seen)
        write_stack(&r->said, stack, sizeof stack);
    if (r->said.on_behalf.since)
        snprintf(who, sizeof who, " (%s, %u ms old)", r->said.on_behalf.name, scope_age(&r->said.on_behalf, now_ms()));
    log_warning("loop %d is blocked, for %llu ms by now%s%s%s: %s", r->number, ms, by, whom, who, stack);
}

void stall_reports_log(report *first)
{
    for (report *next; first; first = next) {
        next = first->next;
        log_report(first);
        mem_free(first);
    }
}

