/* log_writer.c - see log_writer.h. Two buffers take turns: lines are put into one while those of the other are
 * written, each in one write, so that none is torn where others write to the same pipe. */
#include "log_writer.h"
#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROOM = 64 * 1024,
    PATIENCE = 1000,                         /* ms in which nothing is read: then nothing will be */
};

static char buffers[2][ROOM];

static struct {
    pthread_mutex_t  lock;                   /* of all but what is atomic */
    pthread_cond_t   wake;
    pthread_t        thread;
    bool           (*tell)(void);
    char            *filling;
    size_t           used;
    uint64_t         untold;                 /* lines that were dropped, which the log has not said yet */
    uint64_t         remind_at;              /* nanoseconds; 0: never */
    bool             started, stopping;
    _Atomic uint64_t given, done;            /* bytes, ever: put into a buffer, and of those written or given up */
    _Atomic uint64_t dropped;
} writer = { .lock = PTHREAD_MUTEX_INITIALIZER, .filling = buffers[0] };

static const uint64_t SECOND = 1000000000;

static uint64_t writer_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static bool stderr_wait_for_room(int ms)
{
    struct pollfd p = { STDERR_FILENO, POLLOUT, 0 };
    int ready;
    while ((ready = poll(&p, 1, ms)) < 0 && errno == EINTR)
        ;
    return ready > 0;                        /* or an error, which the write will tell */
}

/* False when it cannot be written, which cannot be told either. Where another program has made the file non-blocking, or a
 * terminal takes less, it goes on when there is room. */
static bool stderr_write(const char *text, size_t length, int patience_ms)
{
    while (length > 0) {
        const ssize_t n = write(STDERR_FILENO, text, length);
        if (n >= 0) {
            text += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN ? !stderr_wait_for_room(patience_ms) : errno != EINTR)
            return false;
    }
    return true;
}

static bool stderr_write_within(int ms, const char *text, size_t length)
{
    return stderr_wait_for_room(ms) && stderr_write(text, length, ms);
}

bool log_writer_write_now(const char *text, size_t length) { return stderr_write_within(PATIENCE, text, length); }

size_t log_writer_begin_line(char *line, size_t size, const char *level)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    const size_t n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return n + (size_t)snprintf(line + n, size - n, ".%03ldZ %s: ", now.tv_nsec / 1000000, level);
}

/* The thread. */

static void writer_write_lines(const char *at, size_t length)
{
    for (const char *const end = at + length; at < end;) {
        const size_t line = (size_t)((const char *)memchr(at, '\n', (size_t)(end - at)) - at) + 1;
        if (!stderr_write(at, line, -1))
            atomic_fetch_add(&writer.dropped, 1);
        at += line;
        atomic_fetch_add(&writer.done, line);
    }
}

static size_t writer_dropped_line(char *line, size_t size, uint64_t lines)
{
    const size_t n = log_writer_begin_line(line, size, "warning");
    return n + (size_t)snprintf(line + n, size - n, "%llu lines of this log were dropped, for nobody read it\n",
                                (unsigned long long)lines);
}

/* Under the lock: until there is something to do. True if it is to tell what was held back. */
static bool writer_wait(void)
{
    while (writer.used == 0 && writer.untold == 0 && !writer.stopping) {
        const uint64_t at = writer.remind_at;
        if (at && writer_now() >= at)
            return true;
        if (at)
            pthread_cond_timedwait(&writer.wake, &writer.lock,
                                   &(struct timespec){ (time_t)(at / SECOND), (long)(at % SECOND) });
        else
            pthread_cond_wait(&writer.wake, &writer.lock);
    }
    return false;
}

static void writer_write_buffer(void)        /* called with the lock, which it gives up meanwhile */
{
    char line[256], *const lines = writer.filling;
    const size_t length = writer.used;
    const uint64_t untold = writer.untold;
    writer.filling = buffers[lines == buffers[0]];
    writer.used = writer.untold = 0;
    pthread_mutex_unlock(&writer.lock);
    writer_write_lines(lines, length);
    if (untold > 0)
        stderr_write(line, writer_dropped_line(line, sizeof line, untold), -1);
    pthread_mutex_lock(&writer.lock);
}

static void writer_tell(void)
{
    writer.remind_at = 0;
    pthread_mutex_unlock(&writer.lock);
    const bool more = writer.tell();
    pthread_mutex_lock(&writer.lock);
    if (more)
        writer.remind_at = writer_now() + SECOND;
}

static void *writer_run(void *arg)
{
    pthread_mutex_lock(&writer.lock);
    for (;;) {
        if (writer_wait())
            writer_tell();
        else if (writer.used > 0 || writer.untold > 0)
            writer_write_buffer();
        else
            break;
    }
    pthread_mutex_unlock(&writer.lock);
    return arg;
}

/* The other threads. */

int log_writer_start(bool (*tell)(void))
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer.wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    writer.tell = tell;
    writer.stopping = false;
    const int err = thread_start(&writer.thread, writer_run, NULL);
    writer.started = err == 0;
    return err;
}

/* A thread that still waits for a reader is left to the end of the process. */
void log_writer_stop(void)
{
    pthread_mutex_lock(&writer.lock);
    const bool was = writer.started;
    writer.started = false;
    writer.stopping = true;
    if (was)
        pthread_cond_signal(&writer.wake);
    pthread_mutex_unlock(&writer.lock);
    if (was && log_writer_flush())
        pthread_join(writer.thread, NULL);
    else if (was)
        pthread_detach(writer.thread);
}

/* Without the thread. Called with the lock. */
static bool writer_write_here(const char *line, size_t length)
{
    char said[256];
    if (!stderr_write_within(writer.untold > 0 ? 0 : PATIENCE, line, length)) /* one wait in vain is enough */
        return false;
    if (writer.untold > 0 && log_writer_write_now(said, writer_dropped_line(said, sizeof said, writer.untold)))
        writer.untold = 0;
    return true;
}

static bool writer_add_line(const char *line, size_t length) /* the same, with it */
{
    if (length > ROOM - writer.used)
        return false;
    memcpy(writer.filling + writer.used, line, length);
    writer.used += length;
    atomic_fetch_add(&writer.given, length);
    pthread_cond_signal(&writer.wake);
    return true;
}

bool log_writer_put(const char *line, size_t length, bool again)
{
    pthread_mutex_lock(&writer.lock);
    const bool taken = writer.started ? writer_add_line(line, length) : writer_write_here(line, length);
    if (!taken && !again) {
        writer.untold++;
        atomic_fetch_add(&writer.dropped, 1);
    }
    pthread_mutex_unlock(&writer.lock);
    return taken;
}

void log_writer_remind(void)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.started && !writer.remind_at) {
        writer.remind_at = writer_now() + SECOND;
        pthread_cond_signal(&writer.wake);
    }
    pthread_mutex_unlock(&writer.lock);
}

bool log_writer_flush(void)
{
    const uint64_t all = atomic_load(&writer.given);
    uint64_t before = atomic_load(&writer.done);
    for (int waited = 0; before < all && waited < PATIENCE; waited++) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        const uint64_t done = atomic_load(&writer.done);
        if (done != before)
            waited = 0;
        before = done;
    }
    return before >= all;
}

uint64_t log_writer_dropped(void) { return atomic_load(&writer.dropped); }
