/* log_writer.h - where log.c's lines go: to standard error, by a thread of its own while there is one.
 *
 * That thread blocks where the reader of the log makes it, and no other does. O_NONBLOCK would not do: it is a property
 * of the open file, which the shell and other programs share. */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tell is called on the thread when it has been reminded a second ago, and may put lines; true: remind it again. */
int  log_writer_start(bool (*tell)(void));
void log_writer_stop(void);

/* A line of at most PIPE_BUF bytes, its end included. False: it is dropped, and counted unless it is to be put
 * again. */
bool log_writer_put(const char *line, size_t length, bool again);
void log_writer_remind(void);

/* Until all is written, or nothing has been read for a second: true if all is. Safe in a signal handler, as the next. */
bool log_writer_flush(void);
bool log_writer_write_now(const char *text, size_t length);  /* without the thread, and without waiting longer */

uint64_t log_writer_dropped(void);           /* lines, since the start */

/* "2026-11-28T21:08:00.123Z warning: ", what a line begins with, for the level "warning". Its length. */
size_t log_writer_begin_line(char *line, size_t size, const char *level);

#endif
