/* outlet_target.h - a place to which the lines of a log go, open.
 *
 *   stderr, stdout         what this process has by that name
 *   syslog, syslog:PATH    the local one: a datagram a line to /dev/log, or PATH, in the form of RFC 3164 as syslog(3) of glibc
 *                          sends it. (Of RFC 5424 journald, which listens there on most machines, reads nothing.)
 *   /PATH, ./PATH ...      a file, its name has a slash, to whose end lines are added; it is made if it is not there. A FIFO
 *                          needs a reader
 *
 *   Ownership.  The owner's memory; {0} is nowhere: what goes there is gone.
 *   Threads.    For any, one at a time. */
#ifndef OUTLET_TARGET_H
#define OUTLET_TARGET_H

typedef enum outlet_kind { OUTLET_NONE, OUTLET_STREAM, OUTLET_FILE, OUTLET_SYSLOG } outlet_kind;

typedef struct outlet_target {
    outlet_kind kind;
    int         fd;                          /* -1: there is none just now */
    char       *path;                        /* of a file or socket: its own; else NULL */
} outlet_target;

/* where is not needed any more afterwards. 0, or a negative error: then there is nothing to close. */
int  outlet_target_open(outlet_target *t, const char *where);
void outlet_target_close(outlet_target *t);  /* it is nowhere then */

/* Opens its file again, which may be another by now: 0, or a negative error, and it is the old one still. Of what is no file,
 * nothing. */
int  outlet_target_reopen(outlet_target *t);

/* Its daemon may have gone, and come again: fd is below 0 if it has not. */
void outlet_target_reconnect(outlet_target *t);
void outlet_target_disconnect(outlet_target *t);

#endif
