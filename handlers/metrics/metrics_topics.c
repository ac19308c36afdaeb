/* metrics_topics.c - of /metrics: topics, and the outbox that feeds them. */
#include "metrics.h"
#include "db/outbox.h"
#include "handlers/site.h"
#include "server/topic/topic.h"

#define LOOK(function, member) static void function(metrics_page *p) { exposition_number(&p->e, TEXT(""), topics_look().member); }

LOOK(write_topics, topics)
LOOK(write_subscriptions, subscriptions)
LOOK(write_bytes, bytes)
LOOK(write_published, published)
LOOK(write_dropped, dropped)
LOOK(write_disconnected, disconnected)

static void write_position(metrics_page *p)
{
    outbox_view v;
    if (site_look_at_outbox(&v) && v.position >= 0)
        exposition_number(&p->e, TEXT(""), (uint64_t)v.position);
}

static void write_behind(metrics_page *p)
{
    outbox_view v;
    if (site_look_at_outbox(&v))
        exposition_number(&p->e, TEXT(""), v.behind);
}

static void write_lag(metrics_page *p)
{
    outbox_view v;
    if (site_look_at_outbox(&v))
        exposition_seconds(&p->e, TEXT(""), v.lag * 1000000);
}

const metric_family METRICS_OF_TOPICS[] = {
    { { "topics", "gauge", "Topics that are known." }, write_topics },
    { { "topic_subscriptions", "gauge", "Subscriptions to them." }, write_subscriptions },
    { { "topic_kept_bytes", "gauge", "Bytes of the messages that they keep." }, write_bytes },
    { { "topic_messages_published_total", "counter", "Messages that were published here." }, write_published },
    { { "topic_messages_dropped_total", "counter", "Messages that subscribers missed, each for each." }, write_dropped },
    { { "topic_subscribers_disconnected_total", "counter", "Subscribers that were too far behind." }, write_disconnected },
    { { "outbox_position", "gauge", "The id up to which the outbox has been handed out." }, write_position },
    { { "outbox_behind", "gauge", "Ids that are known to follow it." }, write_behind },
    { { "outbox_lag_seconds", "gauge", "Since when not all has been handed out; 0: it has." }, write_lag },
    { { NULL, NULL, NULL }, NULL },
};
