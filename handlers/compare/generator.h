/* generator.h - a bounded load, for this machine only: connections on loopback that each send a request, wait for the answer,
 * and send the next.
 *
 *     generator *g;
 *     err = generator_start(&g, &options);
 *     ... generator_is_open(g)                          as many connections stand as will
 *     generator_measure(g);                             what counts begins
 *     generator_look(g, &view);                         at any time
 *     generator_stop(g, &view);
 *
 * It has one thread with an epoll loop of its own, whose processor time is known; so who measures servers in the same process
 * can leave it out. Requests are sent as answers come (a closed loop), so there are never more than connections.
 *
 *   Refused.    A 503 is counted as refused, and that connection waits for 200 ms before it asks again; where the server then
 *               closes it is not opened again. Any other status but 200, or none, is counted as failed.
 *   Latencies.  From sending to the last byte of the answer, of what has been sent since generator_measure, and answered
 *               with 200; without the time that the request asks the server to wait, which no server can save.
 *   Closing     is by reset: no socket of ours stays in TIME_WAIT, of which there would be thousands after each run. */
#ifndef COMPARE_GENERATOR_H
#define COMPARE_GENERATOR_H

#include "latencies.h"

#include <stdbool.h>

typedef struct generator generator;

typedef struct generated {                   /* one of the requests that a load is made of */
    const char *path;                        /* it may end with %d: then the number that stands for it is */
    int         waits_ms;                    /* how long it asks the server to wait, if it does; a connection's first request
                                                less, evenly from 1 to that, so that they do not all come at once for ever */
    int         most;                        /* else 1 to most, each in turn */
} generated;

typedef struct generator_options {
    const char      *address;                /* "http://127.0.0.1:8080": of IPv4 or IPv6, and loopback, else UV_EINVAL */
    int              connections;
    int              kinds;
    const generated *requests;               /* a connection sends them in turn; must outlive it */
} generator_options;

typedef struct generator_view {
    int       open, held;                    /* connections now; requests of theirs that have no answer yet */
    int       turned_away;                   /* connections that the server has not taken, or has closed */
    bool      no_files;                      /* there were no descriptors for more */
    uint64_t  answers, refused, failed;      /* since generator_measure */
    uint64_t  ns;                            /* since then, or until it was stopped */
    uint64_t  cpu;                           /* nanoseconds, of its thread, since it began */
    latencies latencies;                     /* microseconds */
} generator_view;

int  generator_start(generator **g, const generator_options *o);     /* 0, or an error */
bool generator_is_open(generator *g);
void generator_measure(generator *g);
void generator_look(generator *g, generator_view *v);
void generator_stop(generator *g, generator_view *last);     /* closes all connections, and frees it */

#endif
