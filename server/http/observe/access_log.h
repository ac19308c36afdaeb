/* access_log.h - which requests were answered, and how: a line of each (access_line.h) once it is over, in a log of its own.
 *
 * Each request has a line: also one that was refused (413, 503), or not understood, or did not come in time (400, 408, 431:
 * then there is no more than the client's address), websockets and events when they end (101, 200), and one whose client had
 * gone before its answer began: 499, as nginx has it.
 *
 * Lines are put where the log's thread takes them (log_writer.h), without a lock and without waiting: when that cannot write
 * them as fast, they are dropped, and counted.
 *
 * It can be turned on and off, and elsewhere, while requests are under way. One that was when it was turned on has a line,
 * without its path if its head was given up by then.
 *
 *   Threads.  Set by one at a time; the rest is for any. */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include "access_line.h"
#include "server/base/log/outlet_target.h"
#include "server/http/message/head.h"
#include "server/http/route.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef enum access_format { ACCESS_OFF, ACCESS_COMBINED, ACCESS_JSON } access_format;

extern _Atomic(access_line *) access_line_here;      /* NULL: there is no access log */

static inline bool access_log_is_on(void) { return atomic_load_explicit(&access_line_here, memory_order_relaxed); }

/* An access log that is ready to be the one: all that can fail has been done. */
typedef struct access_log_next {
    access_line  *line;
    char         *where;                     /* NULL: nowhere */
    bool          moves;                     /* to another place than that of now: */
    outlet_target to;
} access_log_next;

/* where is as outlet_target.h says, and not needed afterwards. 0, or a negative error after saying in why what is wrong. */
int      access_log_prepare(access_log_next *n, access_format format, const char *where, char *why, size_t size);
void     access_log_use(access_log_next *n); /* from now on; what was put before goes where it was to go */
void     access_log_forget(access_log_next *n);
uint64_t access_log_dropped(void);           /* lines, since the start */

/* If it is on. That request is over: */
void access_log_request(request *req, text client);
/* A client was refused before there was a request of it: with its head, or NULL. */
void access_log_refusal(const head *h, const char *route, text client, int status);

#endif
