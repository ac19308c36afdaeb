/* log_writer.h - where log.c's lines go: to standard error, by a thread of its own while there is one.
 *
 * It blocks where whoever reads the log makes it, and nobody else does. O_NONBLOCK would not do: it is a property
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

bool log_writer_flush(int patience_ms);      /* true if all is written; safe in a signal handler */
bool log_writer_write_now(const char *text, size_t length, int patience_ms);         /* here; the same */

uint64_t log_writer_dropped(void);           /* lines, since the start */

/* "2026-11-28T21:08:00.123Z warning: " and so on: what a line begins with. Its length. */
size_t log_begin_line(char *line, size_t size, int level);

#endif
