/* log.c - see log.h: the text of a line, and how many like it there may be. */
#include "log.h"
#include "log_writer.h"
#include "log/log_throttle.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum { MESSAGE = 2048, WHOM = 256 };

static atomic_int       most = LOG_INFO;     /* a log_level */
static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;
static throttle         flood;               /* under the lock */
static _Atomic uint64_t held_back;

static log_whom        *tells_whom;

void      log_set_level(log_level level) { atomic_store(&most, (int)level); }
log_level log_level_now(void)            { return (log_level)atomic_load(&most); }
void      log_set_whom(log_whom *whom)   { tells_whom = whom; }

static bool log_put(log_level level, const char *message, const char *whom, bool again)
{
    static const char *const NAMES[] = { "error", "warning", "info", "debug" };
    char line[2 * MESSAGE];                  /* PIPE_BUF: where others write to the same pipe, it stays whole */
    const size_t behind = strlen(whom);
    size_t n = log_writer_begin_line(line, sizeof line, NAMES[level]);
    for (const char *s = message; *s && n < sizeof line - 8 - behind; s++)
        if ((unsigned char)*s >= ' ' && *s != 0x7f)
            line[n++] = *s;
        else
            n += (size_t)snprintf(line + n, 5, "\\x%02x", (unsigned char)*s);
    memcpy(line + n, whom, behind);
    n += behind;
    line[n++] = '\n';
    return log_writer_put(LOG_ERRORS, line, n, again);
}

/* Under the lock. */
static void log_tell_due(uint64_t now)
{
    char message[THROTTLE_TEXT + 64];
    for (throttled due; throttle_due(&flood, now, &due);) {
        snprintf(message, sizeof message, "%s (and %u more like it)", due.text, due.more);
        log_put((log_level)due.tag, message, "", false);
    }
}

static bool log_tell_held_back(void)
{
    pthread_mutex_lock(&lock);
    log_tell_due(uv_hrtime());
    const bool more = throttle_holds(&flood);
    pthread_mutex_unlock(&lock);
    return more;
}

/* True if that many like it are too many: it is counted. */
static bool log_hold_back(log_level level, const char *format, const char *message)
{
    pthread_mutex_lock(&lock);
    const uint64_t now = uv_hrtime();
    log_tell_due(now);
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

/* False if lines of that level are not wanted. */
static bool log_format(char message[MESSAGE], log_level level, const char *format, va_list args)
{
    if ((int)level > atomic_load_explicit(&most, memory_order_relaxed))
        return false;
    vsnprintf(message, MESSAGE, format, args);
    return true;
}

void log_write(log_level level, const char *format, ...)
{
    char message[MESSAGE], whom[WHOM] = "";
    va_list args;
    va_start(args, format);
    const bool wanted = log_format(message, level, format, args);
    va_end(args);
    if (!wanted || log_hold_back(level, format, message))
        return;
    if (tells_whom)
        tells_whom(whom, sizeof whom);
    log_put(level, message, whom, false);
}

void log_list(const char *format, ...)
{
    static atomic_bool unread;               /* the last time that a line of a list waited, it waited in vain */
    char message[MESSAGE];
    va_list args;
    va_start(args, format);
    const bool wanted = log_format(message, LOG_INFO, format, args);
    va_end(args);
    if (!wanted)
        return;
    bool taken = log_put(LOG_INFO, message, "", !atomic_load(&unread));
    if (!taken && !atomic_load(&unread)) {
        atomic_store(&unread, !log_writer_flush());
        taken = log_put(LOG_INFO, message, "", false);
    }
    if (taken)
        atomic_store(&unread, false);
}

int log_start(void) { return log_writer_start(log_tell_held_back); }

void log_stop(void)
{
    pthread_mutex_lock(&lock);
    log_tell_due(UINT64_MAX);
    pthread_mutex_unlock(&lock);
    log_writer_stop();
}

void log_reopen(void) { log_writer_reopen(); }
void log_flush(void)  { log_writer_flush(); }

void log_last_words(const char *words, size_t length)
{
    log_flush();
    log_writer_write_now(words, length);
}

log_counts log_count(void) { return (log_counts){ log_writer_dropped(LOG_ERRORS), atomic_load(&held_back) }; }
