/* control.h - a thread that does what whoever runs the server asks of it while it serves.
 *
 *   SIGHUP      reads the configuration again. Not where it is ignored, as under nohup. When a terminal has been hung up at
 *               which this process was started, it means SIGTERM.
 *   hand-over   gives the listening sockets to the tenk that takes this one's place, and has it stop (handover.h).
 *   heartbeat   tells the service manager that all is well, as often as it wants: as long as every loop turns.
 *
 * None of it is a loop's work: files are read, and others waited for. */
#ifndef CONTROL_H
#define CONTROL_H

#include "handover.h"
#include "server/http/server.h"

typedef struct control control;

typedef struct control_options {
    server     *server;
    void      (*reload)(void *arg);          /* on its thread */
    void       *arg;
    uint64_t  (*drain_ms)(void *arg);        /* the same: how long it may take to stop, now */
    handover   *before;                      /* from whom the server takes over: that is done first; it must outlive the thread */
    const char *handover;                    /* the path at which it listens then; NULL: none */
    handover_server listens;                 /* or this, if it does so by now */
    void      (*ready)(void *arg);           /* on its thread: all of that is done, and the next one can ask */
    void       *ready_arg;
} control_options;

void control_begin(void);                    /* by main, before any other thread: SIGHUP is for this one */
int  control_start(control **c, const control_options *o);   /* 0, or a negative error */
void control_serve(control *c);              /* the server runs: from now on it does all that */
void control_stop(control *c);               /* before the server is freed */
void control_closed(control *c);             /* the database has been closed, too: who waits for that is told */
void control_free(control *c);               /* after control_stop */

#endif
