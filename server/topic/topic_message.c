/* topic_message.c - see topic_message.h. */
#include "topic_message.h"
#include "server/base/memory.h"

#include <assert.h>

struct topic_form {
    struct topic_form *next;
    topic_form_fn     *make;                 /* by which it is known */
    text               made;
};

topic_message *topic_message_new(int64_t id, text event, text bytes)
{
    char *const room = mem_alloc(sizeof(topic_message) + event.length + bytes.length);
    char *const copies = room + sizeof(topic_message);
    topic_message *const m = (topic_message *)room;
    memcpy(copies, event.at, event.length);
    memcpy(copies + event.length, bytes.at, bytes.length);
    m->id = id;
    m->event = (text){ copies, event.length };
    m->bytes = (text){ copies + event.length, bytes.length };
    atomic_init(&m->holders, 1);
    return m;
}

size_t topic_message_size(const topic_message *m) { return sizeof *m + m->event.length + m->bytes.length; }

/* The counts of holders and the forms are no part of what never changes. */
static topic_message *topic_message_changeable(const topic_message *m) { return (topic_message *)(uintptr_t)m; }

void topic_message_hold(const topic_message *m)
{
    atomic_fetch_add_explicit(&topic_message_changeable(m)->holders, 1, memory_order_relaxed);
}

void topic_message_release(const topic_message *m)
{
    if (!m || atomic_fetch_sub_explicit(&topic_message_changeable(m)->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (struct topic_form *f = atomic_load_explicit(&m->forms, memory_order_relaxed), *next; f; f = next) {
        next = f->next;
        mem_free((void *)(uintptr_t)f->made.at);
        mem_free(f);
    }
    mem_free(topic_message_changeable(m));
}

static const struct topic_form *topic_form_find(const struct topic_form *f, topic_form_fn *make)
{
    while (f && f->make != make)
        f = f->next;
    return f;
}

text topic_message_form(const topic_message *m, topic_form_fn *make)
{
    _Atomic(struct topic_form *) *const forms = &topic_message_changeable(m)->forms;
    struct topic_form *first = atomic_load_explicit(forms, memory_order_acquire);
    const struct topic_form *found = topic_form_find(first, make);
    if (found)
        return found->made;
    struct topic_form *const mine = mem_alloc(sizeof *mine);
    *mine = (struct topic_form){ first, make, make(m) };
    while (!atomic_compare_exchange_weak_explicit(forms, &mine->next, mine, memory_order_release, memory_order_acquire))
        if ((found = topic_form_find(mine->next, make))) {
            mem_free((void *)(uintptr_t)mine->made.at);
            mem_free(mine);
            return found->made;
        }
    return mine->made;
}
