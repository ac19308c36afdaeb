/* handed_out.c - see handed_out.h. */
#include "handed_out.h"
#include "server/base/memory.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>

static void on_row(void *arg, const outbox_row *row)
{
    handed_out *h = arg;
    uv_mutex_lock(&h->lock);
    ck_assert_int_lt(h->count, HANDED_OUT_MOST);
    h->ids[h->count] = row->id;
    snprintf(h->data[h->count++], sizeof h->data[0], "%.*s", (int)row->data.length, row->data.at);
    uv_cond_signal(&h->came);
    uv_mutex_unlock(&h->lock);
}

handed_out *handed_out_start(database *d, const outbox_options *o)
{
    handed_out *h = mem_alloc(sizeof *h);
    uv_mutex_init(&h->lock);
    uv_cond_init(&h->came);
    ck_assert_int_eq(outbox_start(&h->outbox, d, o, on_row, h), 0);
    return h;
}

handed_out *handed_out_begin(database *d, const outbox_options *o)
{
    handed_out *h = handed_out_start(d, o);
    while (outbox_position(h->outbox) < 0)
        sched_yield();
    return h;
}

void handed_out_end(handed_out *h)
{
    outbox_stop(h->outbox);
    uv_cond_destroy(&h->came);
    uv_mutex_destroy(&h->lock);
    mem_free(h);
}

void handed_out_wait(handed_out *h, int count)
{
    uv_mutex_lock(&h->lock);
    while (h->count < count)
        uv_cond_wait(&h->came, &h->lock);
    ck_assert_int_eq(h->count, count);
    for (int i = 1; i < count; i++)
        ck_assert_int_lt(h->ids[i - 1], h->ids[i]);
    uv_mutex_unlock(&h->lock);
    while (outbox_position(h->outbox) < h->ids[count - 1])
        sched_yield();
}

int handed_out_count(handed_out *h)
{
    uv_mutex_lock(&h->lock);
    const int count = h->count;
    uv_mutex_unlock(&h->lock);
    return count;
}
