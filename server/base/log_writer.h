/* log_writer.h - the one thread that writes what is logged, to each log's outlet (log/outlet.h).
 *
 * It blocks for no reader: a log that is not read fills up, then loses lines, which are counted, and said in LOG_ERRORS as
 * soon as there is room again; the others go on. LOG_ERRORS is there without the thread, too: then a line is written where
 * it is put.
 *
 *   When.     A line of LOG_ERRORS at once. Those of LOG_ACCESS gather for a tenth of a second, or until half of the room is
 *             used: so thousands of them cost one write, and who puts them makes no system call but the first of these.
 *   Threads.  Start and stop are for the first one, log_writer_redirect for one at a time; log_writer_flush and
 *             log_writer_write_now are also for a signal handler; all else for any. */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "log/outlet_target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum log_stream { LOG_ERRORS, LOG_ACCESS, LOG_STREAMS } log_stream;

/* Makes room for lines of LOG_ACCESS, if there is none yet: 0, or UV_ENOMEM. */
int  log_writer_prepare(log_stream s);

/* Where its lines go from now on: to is the log's then. Those of LOG_ERRORS go to standard error, always; those of LOG_ACCESS
 * nowhere at first, and are prepared. What has been put goes where it was to go, as far as that takes it at once. Not while the
 * log stops. */
void log_writer_redirect(log_stream s, const outlet_target *to);

/* tell is called on the thread when it has been reminded a second ago, and may put lines; true: remind it again. */
int  log_writer_start(bool (*tell)(void));
void log_writer_stop(void);                  /* when all is written, or nothing has been read for a second */
void log_writer_remind(void);
void log_writer_reopen(void);                /* soon: each file, which may have been renamed; what fails is logged */

/* A line of at most OUTLET_LINE bytes, its end included. False: it is dropped, and counted unless it is to be put again. */
bool log_writer_put(log_stream s, const char *line, size_t length, bool again);

/* Until all is written, or nothing has been read for a second: true if all is. */
bool log_writer_flush(void);
bool log_writer_write_now(const char *bytes, size_t length); /* to standard error, without the thread, nor waiting longer */

uint64_t log_writer_dropped(log_stream s);   /* lines, since the start */

/* "2026-11-28T21:08:00.123Z warning: ", what a line begins with, for the level "warning". Its length. */
size_t log_writer_begin_line(char *line, size_t size, const char *level);

#endif
