/* handed_out.h - what an outbox hands out, kept for tests. */
#ifndef HANDED_OUT_H
#define HANDED_OUT_H

#include "db/outbox.h"

#include <uv.h>

enum { HANDED_OUT_MOST = 20000 };

typedef struct handed_out {
    outbox    *outbox;
    uv_mutex_t lock;
    uv_cond_t  came;
    int        count;
    int64_t    ids[HANDED_OUT_MOST];
    char       data[HANDED_OUT_MOST][24];
} handed_out;

/* Starts an outbox of d, and waits until it has begun. */
handed_out *handed_out_begin(database *d, const outbox_options *o);
handed_out *handed_out_start(database *d, const outbox_options *o);          /* the same, without waiting */
void        handed_out_end(handed_out *h);

void handed_out_wait(handed_out *h, int count);              /* until it has so many, and knows that; fails if it has more */
int  handed_out_count(handed_out *h);

#endif
