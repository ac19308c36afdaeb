/* connection.h - one client of threads mode: bytes in, one request after the other, answers out.
 *
 *     socket -> transport.c -> handler, on this very thread -> transport.c -> socket
 *
 * The same parser, limits and time limits as a loop's connection.h, the way most servers were written:
 * every call blocks, and the thread that waits is the memory of where it was. Requests of a pipeline run
 * one after the other. Their answers gather, up to a bound, and leave in one write: before the thread waits for
 * anything, be it the client or what a handler needs, all have been sent.
 *
 *   Stopping.  Another thread may look whether this one is idle, and may shut its socket down: that
 *              ends all that it waits for. It must see to it that the connection is still there. */
#ifndef HTTP_THREADS_CONNECTION_H
#define HTTP_THREADS_CONNECTION_H

#include "server/base/list.h"
#include "server/config/config.h"
#include "server/http/listen/listener.h"
#include "server/http/observe/client_name.h"
#include "server/http/request_parser.h"
#include "admission.h"

#include <stdatomic.h>

enum { THREAD_INPUT = 64 * 1024 };           /* bytes: any head that is allowed fits */

/* What all connections of a server have in common. */
typedef struct thread_shared {
    _Atomic(const struct config *) config;   /* the one that holds now: it may be another the next time one looks */
    const peer_trust *trust;
    void            (*answering)(request *req);      /* the site's, see route.h */
    thread_admission *admissions;            /* NEEDS of them: to begin what needs it */
    uint64_t          stopped, spread;       /* before draining is set: uv_hrtime then, and in how many nanoseconds clients
                                                that would go on are told to end (stop_spread.h) */
    atomic_bool       draining;              /* each ends with what it is doing, or with its next request */
    int               stopping;              /* a descriptor that can be read from then on */
    atomic_bool       breaking_off;          /* bodies that stream are not waited for any more */
} thread_shared;

typedef struct thread_connection {
    list_node      node;                     /* the server's */
    const thread_shared *shared;
    const listener *listener;                /* which it came by */
    int            fd;                       /* the client's; blocking, and the server's to close */
    atomic_bool    idle;                     /* it waits for the next request, or for the end */
    _Atomic(const route *) answering;        /* whose handler runs; NULL: none does now */
    _Atomic uint64_t       since;            /* uv_hrtime when that request came */
    _Atomic pid_t          thread;           /* the kernel's number of its thread; 0 before that runs */
    _Atomic uintptr_t      stack;            /* the end of it, to the page; 0 before that runs */
    atomic_bool    delimits;                 /* its end is that of its last answer: if that is not whole, a reset has to say so */
    uint64_t       sent;                     /* uv_hrtime when the last of its events, or a heartbeat, was */
    uint16_t       number;                   /* by which what is done for its requests is known (recorder.h) */
    client_name    client;                   /* for the access log, if there is one */
    proxy_header   told;                     /* by a proxy at whose listener it came, of its client */
    bool           gone;                     /* the client is, or must be left: nothing more is read or sent */
    bool           unread;                   /* the client may still be sending: linger */
    bool           more;                     /* it sent the last request, and others with it */
    uint64_t       silent_until;             /* of a websocket: when it is pinged; 0: it has not been waited for yet */
    head_scanner   scanner;                  /* of the head that has begun */
    output         out;
    size_t         at, end;                  /* of input: what has come and has not been used */
    char           input[];                  /* THREAD_INPUT bytes; not in a frame, which would touch them all */
} thread_connection;

thread_connection *thread_connection_new(const thread_shared *shared, const listener *listener, int fd);
void thread_connection_free(thread_connection *c);
void thread_connection_log(const thread_connection *c);      /* what it does just now; from another thread */
void thread_connection_run(thread_connection *c);    /* serves the client until the end, on its own thread */

/* transport.c: bytes come in, and go out. Times are deadline_in's. */
typedef enum receive_result { RECEIVE_BYTES, RECEIVE_TIMEOUT, RECEIVE_END } receive_result;
receive_result transport_receive_next(thread_connection *c); /* until there are bytes of a next request; sends before */
receive_result transport_receive_until(thread_connection *c, uint64_t until);        /* until there are more than that */
receive_result transport_receive_now(thread_connection *c);  /* does not wait: RECEIVE_TIMEOUT if there are none */
bool transport_is_quiet(const thread_connection *c); /* has the client sent nothing beyond what has been used? */
void transport_linger(thread_connection *c); /* lets it read the last answer, before the end */

/* Until the request's body wants no more: it is complete, or of a stream the next piece is there. 0, or an
 * HTTP_STATUS error, of body_take or 408: it did not come in time; UV_EOF: the client will send no more;
 * UV_ESHUTDOWN: a stream is not waited for any more. */
int  transport_wait_for_body(thread_connection *c, request *r);
int  transport_take_body(thread_connection *c, body *b);  /* what there is of it: does not wait */

void transport_send(thread_connection *c);   /* all of out, if anything; c->gone if the client does not take it */

/* When its client is to be told that the server stops, of deadline_in; NO_DEADLINE: that does not stop. */
uint64_t thread_stop_time(const thread_connection *c);

/* event_stream.c: the answer are events. */
extern const struct event_host thread_event_host;
int  thread_event_stream_end(request *r, int err);  /* its handler has ended so: the error that is left */

/* upgrade.c: the request is a websocket. */
extern const struct websocket_host thread_upgrade_host;
int  thread_upgrade_end(request *r, int err);       /* its handler has ended so: the error that is left */
void thread_upgrade_free(request *r);        /* what it holds, before the request ends */

#endif
