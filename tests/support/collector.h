/* collector.h - who takes traces: an HTTP server on a thread of its own, that keeps what it was sent. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <jansson.h>

void        collector_start(void);
void        collector_stop(void);            /* whoever asks now is refused */
const char *collector_url(void);             /* until collector_stop, and after it */
void        collector_answer(int status);    /* from now on; 0: it takes what comes, and does not answer */

/* The next message, waited for; the caller's to json_decref. */
json_t     *collector_next(void);

/* Of a message, the span of that name, which must be there. */
const json_t *span_named(const json_t *message, const char *name);
/* Of a span: the value of that attribute in letters; NULL: it has none. */
const char *attribute_of(const json_t *span, const char *key);

#endif
