/* access_log.h - which requests were answered, and how: a line of each (access_line.h) once it is over, in a log of its own.
 *
 * Each request has a line: also one that was refused (413, 503), or not understood, or did not come in time (400, 408, 431:
 * then there is no more than the client's address), websockets and events when they end (101, 200), and one whose client had
 * gone before its answer began: 499, as nginx has it.
 *
 * Lines are put where the log's thread takes them (log_writer.h), without a lock and without waiting: when that cannot write
 * them as fast, they are dropped, and counted.
 *
 *   Threads.  Opened by the first one; the rest is for any. */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include "access_line.h"
#include "server/http/message/head.h"
#include "server/http/route.h"

#include <stdbool.h>

typedef enum access_format { ACCESS_OFF, ACCESS_COMBINED, ACCESS_JSON } access_format;

extern access_line *access_line_here;        /* NULL: there is no access log */

static inline bool access_log_is_on(void) { return access_line_here; }

/* Before log_start; where is as outlet.h says, and lives until log_stop. 0, or a negative error. */
int      access_log_open(access_format format, const char *where);
uint64_t access_log_dropped(void);           /* lines, since the start */

/* While it is on. That request is over: */
void access_log_request(request *req, text client);
/* A client was refused before there was a request of it: with its head, or NULL. */
void access_log_refusal(const head *h, const char *route, text client, int status);

#endif
