/* traces.h - requests as spans (otlp.h), for a collector that understands OTLP by HTTP.
 *
 * Of a request whose traceparent says so, spans are kept if its caller keeps them; of any other, of so many by chance
 * ([traces] sample). When it is over, what the recorder has of it (slowest.h) is written into a batch, which a thread of its own
 * sends once a second, or when it is half full.
 *
 *   Bounds.   A batch has TRACES_BATCH bytes. While one is being sent another fills; what does not fit is dropped, and counted.
 *   Errors.   A collector that is not there, or says that it is busy (429, 502, 503, 504), is asked again four times, later each
 *             time; then that batch is dropped. Whatever else it answers is not asked again. The log says when it begins to fail.
 *   Stopping. What there is goes out once more, within a second.
 *   Threads.  traces_request and traces_count are for any; the rest for one at a time. */
#ifndef HTTP_TRACES_H
#define HTTP_TRACES_H

#include "server/http/identity.h"

#include <stdatomic.h>

enum { TRACES_BATCH = 512 * 1024 };

typedef struct traces_options {
    const char *endpoint;                    /* a URL, as it is: http://127.0.0.1:4318/v1/traces */
    const char *service;                     /* service.name */
    const char *database;                    /* db.system.name */
    double      sample;                      /* 0 to 1 */
    uint64_t    pause_ms;                    /* before a second try, and twice as long before each one more; 0: 1000 */
} traces_options;

extern atomic_bool traces_on;
static inline bool traces_are_on(void) { return atomic_load_explicit(&traces_on, memory_order_acquire); }

/* All that may fail of traces_start: 0, or UV_EINVAL: no URL of http:// or https://; or another error. */
int  traces_prepare(const traces_options *o);

/* From now on it goes by these, also if it went by others before: what is not sent yet goes to the new endpoint. The texts
 * outlive traces_stop; the database is always the same. As traces_prepare. */
int  traces_start(const traces_options *o);
void traces_pause(void);                     /* from now on there are none; what there is is sent */
void traces_stop(void);                      /* no request comes any more; before http_client_done */

void traces_request_over(request *req, text client);
static inline void traces_request(request *req, text client)
{
    if (traces_are_on())
        traces_request_over(req, client);
}

typedef struct traces_counts { uint64_t sent, dropped; } traces_counts;     /* spans, since the start */
traces_counts traces_count(void);

#endif
