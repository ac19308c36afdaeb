/* log.c - see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 2048 };

static log_level most = LOG_INFO;

void log_set_level(log_level level) { most = level; }

void log_write(log_level level, const char *format, ...)
{
    static const char *const NAMES[] = { "error", "warning", "info", "debug" };
    if (level > most)
        return;

    char message[LINE], line[2 * LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ %s: ", now.tv_nsec / 1000000, NAMES[level]);
    for (const char *s = message; *s && n < sizeof line - 8; s++)
        if ((unsigned char)*s >= ' ' && *s != 0x7f)
            line[n++] = *s;
        else
            n += (size_t)snprintf(line + n, 5, "\\x%02x", (unsigned char)*s);
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0) { /* nowhere left to say so */
    }
}
