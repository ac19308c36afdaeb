/* request_internal.h - the inside of a request: what the connection, the parser and the answers share.
 *
 * The requests of a connection are in the order in which they came; only the first one's answer goes
 * straight to the connection's output, that of any other is held until its turn. */
#ifndef HTTP_REQUEST_INTERNAL_H
#define HTTP_REQUEST_INTERNAL_H

#include "server/http/message/body.h"
#include "server/http/message/head.h"
#include "server/http/message/status.h"
#include "server/http/peer/peer.h"
#include "output.h"
#include "router.h"
#include "server/base/observe/shard.h"
#include "server/base/overload/wait_queue.h"
#include "server/async/scope.h"
#include "server/async/task.h"
#include "server/async/timer.h"

typedef struct span { uint16_t at, length; } span;           /* of the head */

struct websocket;
struct websocket_host;
struct event_host;
struct follower;
struct identity;

/* What is to be remembered of an answer. */
typedef union answer_so_far {
    const char *extra;                       /* its headers, each with CRLF; NULL: none */
    uint64_t    length;                      /* from then on that of its body: less left, so much of it has been sent */
    const char *protocol;                    /* of a websocket: the one agreed on */
} answer_so_far;

struct request {
    request      *next;                      /* the one that came after it on its connection */
    void         *connection;                /* that of what serves it: request_host_here */
    const route  *route;                     /* NULL: answered without a handler */
    arena         arena;
    output       *out;                       /* where the answer goes: the connection's output, or one of the arena's */
    body         *body;                      /* NULL if it has none */
    scope         scope;                     /* of what its handler makes outside of a task; without a route only its label */
    union {
        void       *context;                 /* with a route: the site's own */
        const char *allow;                   /* without: the path's methods; NULL when there is nothing at it */
    };
    union {
        answer_so_far    answer;             /* until it is identified; then that begins with this: request_answer_so_far */
        struct identity *identity;           /* by what it is known elsewhere (identity.h) */
    };
    uint64_t      started;                   /* nanoseconds of uv_hrtime's clock: when its head was complete */
    union {
        uint64_t  deadline;                  /* of deadline.h, for the answer to begin: until it is answered, request_deadline */
        uint64_t  left;                      /* from then on, bytes of the answer still to come: request_left */
    };
    union {
        wait_queue_entry place;              /* while it waits to be admitted (admission.h) */
        struct {                             /* before and after that */
            promise *running;                /* the handler's; NULL when it has none or has ended */
            promise *waiting;                /* for room for the next piece */
            union {
                struct websocket *websocket; /* once it is one: upgraded */
                struct follower  *follower;  /* of events: what goes on to send a topic's; or NULL */
            };
        };
    };
    union {
        task  *task;                         /* of an await handler: on whose stack this lies; NULL if it lies on the heap */
        size_t block;                        /* of an answer handler, or none: bytes of the block (block.h) in which this
                                                lies; 0 if it lies on the heap */
    };
    span          path, query;               /* of head; an empty path stands for / */
    uint16_t      waited;                    /* tenths of a millisecond in which it waited to be admitted; at most 6.5 s */
    uint8_t       method;                    /* llhttp's number */
    uint8_t       minor : 1;                 /* 1 of HTTP/1.1 */
    uint8_t       needs : 3;                 /* of router.h */
    bool          keep_alive : 1;
    bool          answered : 1;              /* respond, or what begins a longer one, has been called */
    bool          finished : 1;              /* its handler has ended, and all that it has begun: nothing more will come */
    bool          held_back : 1;             /* it may not start before those ahead have ended */
    bool          waits : 1;                 /* it does so to be admitted */
    bool          ahead : 1;                 /* its client had sent it among others, without waiting for answers */
    bool          upgraded : 1;              /* what its client sends, and is sent, are a websocket's frames */
    bool          gone : 1;                  /* so is its client: answers are dropped */
    bool          streamed : 1;              /* of no known length: until respond_end, left is more than will come */
    bool          events : 1;                /* its pieces are events (events.h) */
    bool          stopped : 1;               /* and its handler has been told that the server stops */
    bool          apart : 1;                 /* its headers and head lie elsewhere: behind it is a pointer to them */
    bool          identified : 1;            /* it has an identity */
    uint32_t      header_count : 9;
    uint32_t      status : 10;               /* of its answer, whose head is written; 0: it is not yet, or its client had gone */
    /* Behind it lie the headers, then the head itself, then the first room of its arena. */
};

/* Thousands wait at once. */
_Static_assert(sizeof(request) <= 176, "what is needed only at times may lie in the arena, or share its place");
_Static_assert(NEEDS <= 8, "needs has three bits");
_Static_assert(SHARD_OUTCOMES - STATUSES >= 0, "answers are counted by their status");
_Static_assert(HEAD_MAX_HEADERS < 1 << 9, "header_count has nine bits");

static inline answer_so_far *request_answer_so_far(request *req)
{
    return req->identified ? (answer_so_far *)req->identity : &req->answer;
}

static inline const header *request_headers(const request *req)
{
    return req->apart ? *(const header *const *)(req + 1) : (const header *)(req + 1);
}

static inline const char *request_head(const request *req)
{
    return (const char *)(request_headers(req) + req->header_count);
}

/* Of an answer that has begun, the bytes still to come. */
static inline uint64_t request_left(const request *req) { return req->answered ? req->left : 0; }

/* For metrics: it has begun; and it is over, answered or, since its client had left, not. */
static inline void request_count_begun(void) { shard_add(SHARD_REQUESTS, 1); }

static inline void request_count_over(const request *req)
{
    shard_end_request(req->scope.label, req->method == HTTP_HEAD, status_number(req->status));
}

/* Else it is answered before anything else runs, once that has begun. */
static inline bool request_may_wait(const request *req) { return req->route && !req->route->answer; }

/* Its answer ends with the connection (RFC 9112, 6.3). */
static inline bool request_is_delimited_by_end(const request *req) { return req->streamed && req->minor == 0; }

/* What the requests of a thread need of what serves them: a loop's connections, or the thread itself. */
typedef struct request_host {
    promise *(*room)(request *req);          /* settles when out may take another piece */
    size_t   (*share)(const request *req);   /* how large that may be, as things are */
    void     (*answering)(request *req);     /* the site's, see server.h */
    void     (*limit)(request *req);         /* its deadline is another */
    peer     (*peer)(const request *req);    /* who has sent it */
    text     (*name)(const request *req);    /* the same in letters, where nobody speaks for others; or "": look there */
    promise *(*more)(request *req);          /* settles when the body, which streams, wants no more for now */
    const struct websocket_host *websocket;  /* for one that becomes one */
    const struct event_host *events;         /* for one that answers by events */
    /* Of a loop, for one that has waited in admission.h: */
    void     (*begin)(request *req);         /* its handler may run now */
    void     (*decline)(request *req, int err, text made);   /* answers with the error instead; made: that answer, or "" */
} request_host;

extern _Thread_local const request_host *request_host_here;

/* Runs what stands before its route's handler, if anything does: false if that is not to run, but *err to be taken for what it
 * returned. */
bool request_run_before(request *req, int *err);
static inline bool request_passes(request *req, int *err)
{
    return !req->route || !req->route->before || request_run_before(req, err);
}

peer_client request_client(const request *req);      /* what is known of who asks: looked up each time */
text request_client_name(const request *req, char room[IP_TEXT]);    /* the same in letters; while its head is there */

extern const head NO_HEAD;                   /* of a request whose own could not be read */

/* The bytes that request_init needs for a request with that head, and so many more for its arena. Apart: the copy of the head
 * is to be allocated on its own, and may end before the request does. */
size_t request_size(const head *h, bool apart, size_t more);
/* Lays a request out in room, with a copy of the head. */
void request_init(void *room, size_t size, const head *h, bool apart);
void request_end_head(request *req);        /* if it lies apart: then nothing more is known of it, and no text of it is there */
void request_done(request *req);            /* ends its arena; the room is the caller's */
text request_query_string(const request *req);       /* as sent, without its ? */
uint64_t request_bytes_sent(request *req);  /* of its answer's body, so far as it has been made; of a websocket 0 */
bool request_is_safe(const request *req);   /* its method changes nothing, nor do the bytes behind it: GET, HEAD, OPTIONS */

int  respond_error(request *req, int err);   /* the page for a handler's error */

void respond_refusal(request *req, int err, bool html);      /* of a REFUSED error: which limit was met */
void problem_use(problem_page *p);           /* before any request is answered; NULL: a bare one */
bool problem_prefers_html(text accept);      /* for what goes wrong, by the client's Accept header */

/* The whole answer to an HTTP/1.1 GET that was refused so: writes at most size bytes, and returns how many. */
size_t request_render_refusal(int err, bool html, bool keep_alive, char *to, size_t size);
void request_answer(request *req);          /* for a request without a handler: 404, 405, OPTIONS */
void request_limit(request *req, uint64_t ms);       /* it is complete: so long may its handler wait, or as its route says */
void request_refuse(request *req, int err); /* for one that was not understood: no other may follow it */
/* Is the client to be told to send the body, for which it waits (100 Continue)? Not if some has begun to come. Then
 * that is in the output. */
bool request_send_continue(request *req, bool begun);
bool request_is_plain_get(const request *req);      /* HTTP/1.1, kept alive, its client there: what is usual */
void request_decline(request *req, int err);        /* for one whose handler will not run: others may follow it */
request *request_here(void);                /* the one for which this thread works now (scope_for.h); NULL: none */
/* From now on what is done for it is known by a number of its own (recorder.h), if it has none yet. */
void request_give_number(request *req);
void request_has_waited(request *req, uint64_t since);       /* to be admitted, from then on; it is before it begins */
/* Its handler has ended so: that is recorded (recorder.h), and kept if few have been as slow (slowest.h); if it took longer
 * than so many ms, all asks for a recording. connection: by what its writing will be known; NULL: it is not told. */
void request_record(const request *req, int err, const void *connection, uint64_t ms);
void request_end(request *req, int err);    /* its handler has ended so: answers and logs, if it did not */
/* Answers with 101: it is ws from now on. What is "" is not said. */
void request_switch(request *req, struct websocket *ws, text digest, text protocol, text extension);
int  request_number(text t, int64_t *n);     /* of a whole number in digits: 0, or E_BAD_REQUEST */
char *respond_room(request *req, size_t length);     /* for a piece: not none, and not more than is left; to be filled at once */

/* For a piece that many get alike, which m has: with a chunk around it, if that is what the answer is made of. */
bool   respond_is_chunked(const request *req);
size_t respond_chunk_more(size_t length);            /* bytes of a chunk beside those */
char  *respond_chunk_around(char *to, size_t length);        /* writes them, and leaves room for the others: there */
void   respond_form(request *req, const topic_message *m, text form);        /* none if it is "" */
bool request_broke_off(const request *req); /* ended in the middle of a long answer: the client must see that */

#endif
