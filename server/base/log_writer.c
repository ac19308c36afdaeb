/* log_writer.c - see log_writer.h. Lines wait in a ring for each log (log/line_ring.h). The thread sleeps while there are none;
 * who puts the first wakes it by an eventfd. */
#include "log_writer.h"
#include "log/outlet.h"
#include "thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
    ERRORS_ROOM = 128 * 1024, ACCESS_ROOM = 1024 * 1024,
    PATIENCE = 1000,                         /* ms in which nothing is read: then nothing will be */
    GATHER = 100,                            /* ms */
    AT_HALF = 16 * 1024,                     /* bytes: a line that ends so little above half of the room may be the first there */
};

static const uint64_t SECOND = 1000000000, MILLISECOND = 1000000;

static char errors_room[ERRORS_ROOM];

static struct {
    outlet           of[LOG_STREAMS];
    pthread_mutex_t  lock;                   /* of writing without the thread, and of what follows */
    outlet_target    next;                   /* where LOG_ACCESS is to go from now on */
    bool             redirecting;            /* and the thread has not taken that yet */
    pthread_cond_t   taken;                  /* it has */
    pthread_t        thread;
    bool           (*tell)(void);
    int              wake;                   /* an eventfd */
    uint64_t         gathered_at;            /* the thread's: when LOG_ACCESS is to be written; 0: it has no lines */
    _Atomic uint64_t remind_at;              /* nanoseconds; 0: never */
    atomic_bool      started, stopping, flushing, reopening, turning;        /* turning: redirecting, without the lock */
    atomic_bool      asleep;                 /* LOG_ACCESS has no lines: who puts the first one wakes the thread */
    atomic_bool      woken;                  /* the eventfd has been written to, and the thread has not looked since */
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER,
             .taken = PTHREAD_COND_INITIALIZER,
             .of = {
                 [LOG_ERRORS] = { .to = { OUTLET_STREAM, STDERR_FILENO, NULL },
                                  .ring = { .bytes = errors_room, .size = ERRORS_ROOM } },
                 [LOG_ACCESS] = { .to.fd = -1, .ring.size = ACCESS_ROOM },   /* its room is log_writer_prepare's */
             } };

static uint64_t writer_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

size_t log_writer_begin_line(char *line, size_t size, const char *level)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    const size_t n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return n + (size_t)snprintf(line + n, size - n, ".%03ldZ %s: ", now.tv_nsec / (long)MILLISECOND, level);
}

static bool writer_has_lines(log_stream s) { return line_ring_used(&writer.of[s].ring) > 0; }

/* What the writer itself has to say, in LOG_ERRORS: put there, or written here and now. */
static bool writer_say(bool here, const char *what, const char *more)
{
    char line[512];
    size_t n = log_writer_begin_line(line, sizeof line, "warning");
    n += (size_t)snprintf(line + n, sizeof line - n, "%.300s%.100s\n", what, more);
    return here ? log_writer_write_now(line, n) : outlet_put(&writer.of[LOG_ERRORS], line, n, true);
}

/* Says what was lost of a log that can be written again, and once that it cannot be. True: it has said something. */
static bool writer_tell_of(log_stream s, int err_before, bool here)
{
    static const char *const LOST[] = {
        [LOG_ERRORS] = " lines of this log were dropped, for nobody read it",
        [LOG_ACCESS] = " lines of the access log were dropped, for they could not be written",
    };
    char lines[24];
    outlet *const o = &writer.of[s];
    const uint64_t dropped = atomic_load(&o->dropped), untold = dropped - o->told;
    if (o->err && !err_before && s == LOG_ACCESS)
        return writer_say(here, "cannot write to the access log: ", uv_strerror(o->err));
    if (o->err || untold == 0)
        return false;
    snprintf(lines, sizeof lines, "%llu", (unsigned long long)untold);
    if (!writer_say(here, lines, LOST[s]))
        return false;
    o->told = dropped;
    return true;
}

/* The thread. */

/* Is it time to write what has gathered? *wait: else so many milliseconds later. */
static bool writer_has_gathered(const outlet *o, uint64_t now, int *wait)
{
    if (line_ring_used(&o->ring) == 0)
        return false;
    if (!writer.gathered_at)
        writer.gathered_at = now + GATHER * MILLISECOND;
    if (now >= writer.gathered_at || line_ring_used(&o->ring) > o->ring.size / 2 || atomic_load(&writer.flushing) ||
        atomic_load(&writer.stopping))
        return true;
    *wait = (int)((writer.gathered_at - now) / MILLISECOND) + 1;
    return false;
}

/* Writes what there is to be written, as far as that goes. *wait: milliseconds until it wants to be looked at again; it stays
 * where it need not. *on is what to poll for besides. */
static void writer_serve(log_stream s, uint64_t now, int *wait, struct pollfd *on)
{
    outlet *const o = &writer.of[s];
    const int err_before = o->err;
    if (s == LOG_ACCESS && !writer_has_gathered(o, now, wait))
        return;
    switch (outlet_go_on(o)) {
    case OUTLET_FULL:
        *on = (struct pollfd){ o->to.fd, POLLOUT, 0 };
        return;
    case OUTLET_COMING: *wait = 1; break;
    case OUTLET_MORE:   *wait = 0; break;
    case OUTLET_EMPTY:
        if (s == LOG_ACCESS)
            writer.gathered_at = 0;
    }
    if (writer_tell_of(s, err_before, false))
        *wait = 0;
}

static void writer_reopen_all(void)
{
    char what[300];
    for (int s = 0; s < LOG_STREAMS; s++) {
        const int err = outlet_target_reopen(&writer.of[s].to);
        if (!err)
            continue;
        snprintf(what, sizeof what, "it goes on to the old file, for %.200s cannot be opened again: ", writer.of[s].to.path);
        writer_say(false, what, uv_strerror(err));
    }
}

/* What can be written where it was to go is. */
static void writer_redirect(void)
{
    outlet_go_on(&writer.of[LOG_ACCESS]);
    pthread_mutex_lock(&writer.lock);
    outlet_redirect(&writer.of[LOG_ACCESS], &writer.next);
    writer.redirecting = false;
    pthread_cond_signal(&writer.taken);
    pthread_mutex_unlock(&writer.lock);
    writer_tell_of(LOG_ACCESS, 0, false);
}

/* Tells what was held back, if that is due; else how many milliseconds later it is, or -1: never. */
static int writer_tell_held_back(uint64_t now)
{
    const uint64_t at = atomic_load(&writer.remind_at);
    if (!at)
        return -1;
    if (now < at)
        return (int)((at - now) / MILLISECOND) + 1;
    atomic_store(&writer.remind_at, 0);
    if (writer.tell())
        log_writer_remind();
    return 0;
}

static void *writer_run(void *arg)
{
    for (;;) {
        struct pollfd on[1 + LOG_STREAMS] = { { writer.wake, POLLIN, 0 } };
        atomic_store(&writer.woken, false);
        if (atomic_exchange(&writer.turning, false))
            writer_redirect();
        if (atomic_exchange(&writer.reopening, false))
            writer_reopen_all();
        const uint64_t now = writer_now();
        int wait = writer_tell_held_back(now);
        for (int s = LOG_STREAMS - 1; s >= 0; s--) { /* last the one in which is said what became of the others */
            int later = -1;
            on[1 + s].fd = -1;
            writer_serve((log_stream)s, now, &later, &on[1 + s]);
            wait = later < 0 || (wait >= 0 && wait < later) ? wait : later;
        }
        atomic_store(&writer.asleep, true);
        if (writer_has_lines(LOG_ACCESS))
            atomic_store(&writer.asleep, false);
        else if (!writer_has_lines(LOG_ERRORS)) {
            atomic_store(&writer.flushing, false);
            if (atomic_load(&writer.stopping))
                break;
        }
        poll(on, sizeof on / sizeof *on, wait);
        if (on[0].revents)
            eventfd_read(writer.wake, &(eventfd_t){ 0 });
    }
    return arg;
}

/* The other threads. */

static void writer_wake(void)
{
    if (!atomic_exchange(&writer.woken, true))
        eventfd_write(writer.wake, 1);
}

/* The thread looks at it only when there is a line in it. */
int log_writer_prepare(log_stream s)
{
    line_ring *const r = &writer.of[s].ring;
    if (!r->bytes)
        r->bytes = calloc(1, r->size);
    return r->bytes ? 0 : UV_ENOMEM;
}

void log_writer_redirect(log_stream s, const outlet_target *to)
{
    assert(s == LOG_ACCESS && writer.of[s].ring.bytes);
    if (!atomic_load(&writer.started)) {
        outlet_redirect(&writer.of[s], to);
        return;
    }
    pthread_mutex_lock(&writer.lock);
    writer.next = *to;
    writer.redirecting = true;
    atomic_store(&writer.turning, true);
    writer_wake();
    while (writer.redirecting)
        pthread_cond_wait(&writer.taken, &writer.lock);
    pthread_mutex_unlock(&writer.lock);
}

int log_writer_start(bool (*tell)(void))
{
    writer.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (writer.wake < 0)
        return -errno;
    writer.tell = tell;
    writer.stopping = false;
    const int err = thread_start(&writer.thread, writer_run, NULL);
    writer.started = err == 0;
    return err;
}

/* The thread has ended. */
static void writer_end(void)
{
    for (int s = 0; s < LOG_STREAMS; s++)
        if (writer_has_lines((log_stream)s))
            outlet_go_on(&writer.of[s]);     /* what came while it did so */
    outlet_close(&writer.of[LOG_ACCESS]);
    free(writer.of[LOG_ACCESS].ring.bytes);
    writer.of[LOG_ACCESS].ring = (line_ring){ .size = ACCESS_ROOM };
    close(writer.wake);
}

/* A thread that still waits for a reader is left to the end of the process. */
void log_writer_stop(void)
{
    if (!atomic_exchange(&writer.started, false))
        return;
    atomic_store(&writer.stopping, true);
    writer_wake();
    if (log_writer_flush()) {
        pthread_join(writer.thread, NULL);
        writer_end();
    } else {
        pthread_detach(writer.thread);
    }
}

static bool writer_write_here(const char *line, size_t length, bool again)
{
    outlet *const o = &writer.of[LOG_ERRORS];
    pthread_mutex_lock(&writer.lock);
    const bool waited = atomic_load(&o->dropped) > o->told;  /* in vain: once is enough */
    const bool taken = outlet_write_now(o, line, length, waited ? 0 : PATIENCE);
    if (taken)
        writer_tell_of(LOG_ERRORS, 0, true);
    else if (!again)
        atomic_fetch_add(&o->dropped, 1);
    pthread_mutex_unlock(&writer.lock);
    return taken;
}

bool log_writer_put(log_stream s, const char *line, size_t length, bool again)
{
    outlet *const o = &writer.of[s];
    if (!atomic_load_explicit(&writer.started, memory_order_relaxed))
        return s == LOG_ERRORS && writer_write_here(line, length, again);
    const bool taken = outlet_put(o, line, length, again);
    if (taken && (s == LOG_ERRORS || atomic_load(&writer.asleep) || line_ring_used(&o->ring) - o->ring.size / 2 < AT_HALF))
        writer_wake();
    return taken;
}

void log_writer_remind(void)
{
    uint64_t never = 0;
    if (atomic_load(&writer.started) &&
        atomic_compare_exchange_strong(&writer.remind_at, &never, writer_now() + SECOND))
        writer_wake();
}

void log_writer_reopen(void)
{
    atomic_store(&writer.reopening, true);
    if (atomic_load(&writer.started))
        writer_wake();
}

static uint64_t writer_sum(bool given)
{
    uint64_t sum = 0;
    for (int s = 0; s < LOG_STREAMS; s++)
        sum += atomic_load(given ? &writer.of[s].ring.given : &writer.of[s].ring.taken);
    return sum;
}

bool log_writer_flush(void)
{
    const uint64_t all = writer_sum(true);
    uint64_t before = writer_sum(false);
    if (before < all) {
        atomic_store(&writer.flushing, true);
        writer_wake();
    }
    for (int waited = 0; before < all && waited < PATIENCE; waited++) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        const uint64_t done = writer_sum(false);
        if (done != before)
            waited = 0;
        before = done;
    }
    return before >= all;
}

bool log_writer_write_now(const char *bytes, size_t length)
{
    return outlet_write_now(&writer.of[LOG_ERRORS], bytes, length, PATIENCE);
}

uint64_t log_writer_dropped(log_stream s) { return atomic_load(&writer.of[s].dropped); }
