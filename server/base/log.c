/* log.c - see log.h: the words of a line, and how many like it there may be. */
#include "log.h"
#include "log_writer.h"
#include "log_throttle.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { MESSAGE = 2048 };

static log_level        most = LOG_INFO;
static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;
static throttle         flood;               /* under the lock */
static _Atomic uint64_t held_back;

void log_set_level(log_level level) { most = level; }

size_t log_begin_line(char *line, size_t size, int level)
{
    static const char *const NAMES[] = { "error", "warning", "info", "debug" };
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    const size_t n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return n + (size_t)snprintf(line + n, size - n, ".%03ldZ %s: ", now.tv_nsec / 1000000, NAMES[level]);
}

static bool put(log_level level, const char *message, bool again)
{
    char line[2 * MESSAGE];                  /* PIPE_BUF: where others write to the same pipe, it stays whole */
    size_t n = log_begin_line(line, sizeof line, level);
    for (const char *s = message; *s && n < sizeof line - 8; s++)
        if ((unsigned char)*s >= ' ' && *s != 0x7f)
            line[n++] = *s;
        else
            n += (size_t)snprintf(line + n, 5, "\\x%02x", (unsigned char)*s);
    line[n++] = '\n';
    return log_writer_put(line, n, again);
}

/* Under the lock. */
static void tell_due(uint64_t now)
{
    char message[THROTTLE_TEXT + 64];
    for (throttled due; throttle_due(&flood, now, &due);) {
        snprintf(message, sizeof message, "%s (and %u more like it)", due.text, due.more);
        put((log_level)due.tag, message, false);
    }
}

static bool tell_some(void)
{
    pthread_mutex_lock(&lock);
    tell_due(uv_hrtime());
    const bool more = throttle_holds(&flood);
    pthread_mutex_unlock(&lock);
    return more;
}

/* True if that many like it are too many: it is counted. */
static bool hold_back(log_level level, const char *format, const char *message)
{
    pthread_mutex_lock(&lock);
    const uint64_t now = uv_hrtime();
    tell_due(now);
    throttled *held = throttle_hold(&flood, throttle_kind(message) + (uint64_t)level, LOG_SAME, now);
    if (!held)
        held = throttle_hold(&flood, (uintptr_t)format, LOG_ALIKE, now);
    if (held) {
        held->tag = (int)level;
        snprintf(held->text, THROTTLE_TEXT, "%.*s", THROTTLE_TEXT - 1, message);
        atomic_fetch_add(&held_back, 1);
        log_writer_remind();
    }
    pthread_mutex_unlock(&lock);
    return held;
}

void log_write(log_level level, const char *format, ...)
{
    char message[MESSAGE];
    va_list args;
    if (level > most)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (!hold_back(level, format, message))
        put(level, message, false);
}

void log_list(const char *format, ...)
{
    static atomic_bool nobody_reads;         /* as far as the last one knew who waited */
    char message[MESSAGE];
    va_list args;
    if (LOG_INFO > most)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    bool taken = put(LOG_INFO, message, !atomic_load(&nobody_reads));
    if (!taken && !atomic_load(&nobody_reads)) {
        atomic_store(&nobody_reads, !log_writer_flush(LOG_PATIENCE));
        taken = put(LOG_INFO, message, false);
    }
    if (taken)
        atomic_store(&nobody_reads, false);
}

int log_start(void) { return log_writer_start(tell_some); }

void log_stop(void)
{
    pthread_mutex_lock(&lock);
    tell_due(UINT64_MAX);
    pthread_mutex_unlock(&lock);
    log_writer_stop();
}

void log_flush(void) { log_writer_flush(LOG_PATIENCE); }

void log_last_words(const char *text, size_t length)
{
    log_flush();
    log_writer_write_now(text, length, LOG_PATIENCE);
}

log_counts log_count(void) { return (log_counts){ log_writer_dropped(), atomic_load(&held_back) }; }
