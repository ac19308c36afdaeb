/* loop_json.c - see loop_json.h: a batch. */
#include "loop_json.h"
#include "server/async/observe/loop_events.h"

static void write_text(buffer *b, const char *key, const char *value)
{
    if (!value)
        return;
    buffer_printf(b, ",\"%s\":", key);
    buffer_json(b, text_of(value));
}

static void write_number(buffer *b, const char *key, int64_t value) { buffer_printf(b, ",\"%s\":%lld", key, (long long)value); }

static void write_what_the_kind_has(buffer *b, const loop_event *e)
{
    switch (e->kind) {
    case RECORD_PHASE:
    case RECORD_CALLBACK:
        write_text(b, "phase", LOOP_PHASE_NAMES[e->value]);
        break;
    case RECORD_READY_ADDED:
    case RECORD_READY_RAN:
        write_text(b, "list", LOOP_LIST_NAMES[e->value]);
        break;
    case RECORD_RUN:
    case RECORD_AWAIT:
    case RECORD_TASK_ENDED:
        write_number(b, "task", e->number);
        break;
    case RECORD_TIMER_SET:
        write_number(b, "due", e->value);
        write_number(b, "timer", e->number);
        break;
    case RECORD_TIMER_UNSET:
    case RECORD_TIMER_RAN:
        write_number(b, "timer", e->number);
        break;
    case RECORD_QUERY_SENT:
    case RECORD_QUERY_RAN:
    case RECORD_JOB_RAN:
        write_number(b, "lane", e->lane);
        if (e->kind != RECORD_QUERY_SENT)
            write_number(b, "outcome", e->value);
        break;
    case RECORD_QUERY:
    case RECORD_JOB:
    case RECORD_REQUEST:
    case RECORD_SETTLED:
        write_number(b, "outcome", e->value);
        break;
    default:
        break;
    }
}

static void event_write_json(buffer *b, const loop_event *e)
{
    buffer_printf(b, "{\"turn\":%lld,\"kind\":\"%s\",\"at\":%llu", (long long)e->turn, loop_event_kind(e->kind),
                  (unsigned long long)e->at);
    if (e->took)
        write_number(b, "took", (int64_t)e->took);
    write_what_the_kind_has(b, e);
    write_text(b, "name", e->name);
    write_text(b, "place", e->place);
    write_text(b, "for", e->whom);
    buffer_text(b, e->own ? TEXT(",\"own\":true}") : TEXT("}"));
}

void loop_view_write_json(buffer *b, const loop_view *v, int loop)
{
    int turns = 0;
    for (int i = 0; i < v->count; i++)
        turns += i == 0 || v->events[i].turn != v->events[i - 1].turn;
    buffer_printf(b, "{\"loop\":%d,\"until\":%llu,\"turns\":%d,\"own_turns\":%lld,\"left_out\":{\"turns\":%lld,\"events\":%llu},"
                     "\"events\":[", loop, (unsigned long long)v->until, turns, (long long)v->own_turns,
                  (long long)v->turns_left_out, (unsigned long long)v->events_left_out);
    for (int i = 0; i < v->count; i++) {
        buffer_text(b, i ? TEXT(",") : TEXT(""));
        event_write_json(b, &v->events[i]);
    }
    buffer_text(b, TEXT("]}"));
}
