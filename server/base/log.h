/* log.h - one line an event, on stderr, whole lines in one write. Control bytes are escaped, so that what
 * a stranger sent cannot forge a line.
 *
 * To log is not to wait for the reader of the log. From log_start to log_stop a thread of its own writes the lines, from a
 * buffer (log_writer.h); what does not fit there is dropped and counted, and the log says how many were as soon as there is
 * room again. Before log_start and after log_stop a line is written where it is logged, or dropped if there is no
 * room for it within a second.
 *
 * No event floods the log: of the same line within a second the first LOG_SAME are written, and of one call of
 * log_write the first LOG_ALIKE; the others are counted, and told when the second is over: "... (and 999 more like it)".
 *
 *   Threads.  For any thread; log_start, log_stop and log_set_whom are for the first one, and log_flush, log_reopen and
 *             log_last_words also for a signal handler. */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <stdint.h>

typedef enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } log_level;

enum { LOG_SAME = 5, LOG_ALIKE = 20 };

void      log_set_level(log_level most);     /* LOG_INFO until then */
log_level log_level_now(void);

/* What is written behind each line: for whom this thread works, " (request 0af7...)", terminated; or nothing. NULL, as at first:
 * nobody knows. */
typedef void log_whom(char *to, size_t size);
void log_set_whom(log_whom *whom);

void log_write(log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)

/* A line of a list that was asked for: information, of which there are never too many. When the buffer is full it waits
 * for room, as long as the log is read: so it is for a thread that others can do without. */
void log_list(const char *format, ...) __attribute__((format(printf, 1, 2)));

int  log_start(void);                        /* 0, or a negative error */
void log_stop(void);                         /* tells what was counted only, and returns as log_flush does */
void log_reopen(void);                       /* the files of the other logs of the same thread, which may have been renamed */

/* Before the process ends in any way: returns when all that was logged is written, or the log is not read. */
void log_flush(void);
void log_last_words(const char *words, size_t length);       /* the same, and then this, as it is */

typedef struct log_counts {                  /* lines, since the start */
    uint64_t dropped, held_back;             /* as the log was not read; as there were too many like it */
} log_counts;

log_counts log_count(void);

#endif
