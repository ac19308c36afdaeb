/* stats.c - GET /stats: how long turns of the loops took, what blocked them, what the executors of the thread pool
 * hold ("lanes"), where pages are rendered ("workloads"), how the worker processes do, and what was never awaited, as JSON.
 *
 *   {"loops": [{"turns": 1203, "lag_ms": {"1": 1200, "3": 3}}],
 *    "lanes": {"cpu": {"running": 2, "waiting": 0, "done": 812, "refused": 0}},
 *    "workloads": {"GET /users": {"ns_per_byte": 4.113, "on_loop": 96, "off_loop": 1}},
 *    "processes": {"workers": 2, "running": 0, "waiting": 0, "done": 9, "refused": 0, "killed": 1,
 *                  "started": 3, "died": 0},
 *    "blocked": {"GET /users/:id": {"times": 2, "longest_ms": 1204, "ms": {"32": 1, "1536": 1}}},
 *    "stack": {"GET /users/:id": 5312},
 *    "topics": {"topics": 3, "subscriptions": 1200, "bytes": 81344, "published": 5100, "dropped": 0, "disconnected": 2},
 *    "outbox": {"position": 5117, "behind": 0, "lag_ms": 0, "pruned": 117},
 *    "refused": {"database_wait": 12}, "log": {"dropped": 0, "held_back": 11519, "access_dropped": 0},
 *    "traces": {"sent": 1204, "dropped": 0},
 *    "never_awaited": 0, "background_failures": 0}
 *
 * says that 1,200 turns took less than a millisecond, and three took two or more, but less than three; that
 * two jobs compute just now; that the page of users takes 4.113 ns a byte, and was written once in the pool, otherwise on
 * a loop (workload.h; in threads mode all are off the loop); that one worker process was killed because its job was no
 * longer wanted, and has been replaced; that two callbacks of a route ran for longer than [log] slow_callback, how long the
 * slowest did, and how many took how long; how many bytes of a task's stack a route used at most, if the build counts that;
 * what topics keep now, and what their subscribers missed (topic.h); up to which id the outbox has been handed out and how far
 * it is behind, or null where there is none (outbox_look); that twelve requests were answered with 503, and by which bound
 * (refusal.h); how many lines the log lost because nothing read
 * it, and how many it only counted (log.h), and the access log as it could not be written; how many spans were sent, and how
 * many were not (traces.h); and how many promises were never awaited, and background tasks failed.
 * What is counted is since the start. Without loops, as in threads mode, there are none, and none is blocked. */
#include "db/outbox.h"
#include "handlers.h"
#include "server/async/background.h"
#include "server/async/unawaited.h"
#include "server/async/label.h"
#include "server/executor/executor.h"
#include "server/executor/process/process_pool.h"
#include "server/async/observe/loop_latency.h"
#include "server/base/buffer.h"
#include "server/base/log.h"
#include "server/base/overload/refusal.h"
#include "server/http/observe/access_log.h"
#include "server/http/observe/traces.h"
#include "server/topic/topic.h"
#include "site.h"
#include "workloads.h"

struct json_list { buffer text; const char *comma; };

static void stats_write_bucket(buffer *b, const char *comma, int kind, uint64_t count)
{
    const uint64_t bound = loop_latency_bound(kind);
    if (bound == UINT64_MAX)
        buffer_printf(b, "%s\"longer\":%llu", comma, (unsigned long long)count);
    else
        buffer_printf(b, "%s\"%llu\":%llu", comma, (unsigned long long)bound, (unsigned long long)count);
}

static void stats_write_buckets(buffer *b, const uint64_t counts[LOOP_LATENCY_BUCKETS])
{
    const char *comma = "";
    for (int i = 0; i < LOOP_LATENCY_BUCKETS; i++)
        if (counts[i] > 0) {
            stats_write_bucket(b, comma, i, counts[i]);
            comma = ",";
        }
}

static void stats_write_loop(const loop_latency_view *v, void *arg)
{
    struct json_list *l = arg;
    buffer_printf(&l->text, "%s{\"turns\":%llu,\"lag_ms\":{", l->comma, (unsigned long long)v->turns);
    stats_write_buckets(&l->text, v->counts);
    buffer_text(&l->text, TEXT("}}"));
    l->comma = ",";
}

static void stats_write_executors(buffer *b)
{
    executor_counts counts[MAX_EXECUTORS];
    const int n = executor_count_all(counts);
    for (int i = 0; i < n; i++)
        buffer_printf(b, "%s\"%s\":{\"running\":%d,\"waiting\":%d,\"done\":%llu,\"refused\":%llu}", i ? "," : "",
                      counts[i].name, counts[i].running, counts[i].waiting, (unsigned long long)counts[i].done,
                      (unsigned long long)counts[i].refused);
}

static void stats_write_workloads(buffer *b)
{
    for (int i = 0; i < WORKLOAD_COUNT; i++) {
        workload *w = WORKLOADS[i];
        buffer_printf(b, "%s\"%s\":{\"ns_per_byte\":%.3f,\"on_loop\":%llu,\"off_loop\":%llu}", i ? "," : "", w->name,
                      w->estimate, (unsigned long long)w->on_loop, (unsigned long long)w->off_loop);
    }
}

static void stats_write_processes(buffer *b)
{
    const process_pool_counts c = process_pool_count();
    buffer_printf(b, "\"workers\":%d,\"running\":%d,\"waiting\":%d,\"done\":%llu,\"refused\":%llu,\"killed\":%llu,"
                     "\"started\":%llu,\"died\":%llu", c.workers, c.running, c.waiting, (unsigned long long)c.done,
                  (unsigned long long)c.refused, (unsigned long long)c.killed, (unsigned long long)c.started,
                  (unsigned long long)c.died);
}

static void stats_write_blocked(const char *name, const label_counts *c, void *arg)
{
    struct json_list *l = arg;
    if (c->blocked == 0)
        return;
    buffer_text(&l->text, text_of(l->comma));
    buffer_json(&l->text, text_of(name));
    buffer_printf(&l->text, ":{\"times\":%llu,\"longest_ms\":%llu,\"ms\":{", (unsigned long long)c->blocked,
                  (unsigned long long)c->longest);
    stats_write_buckets(&l->text, c->lengths);
    buffer_text(&l->text, TEXT("}}"));
    l->comma = ",";
}

static void stats_write_stack(const char *name, const label_counts *c, void *arg)
{
    struct json_list *l = arg;
    if (c->stack == 0)
        return;
    buffer_text(&l->text, text_of(l->comma));
    buffer_json(&l->text, text_of(name));
    buffer_printf(&l->text, ":%zu", c->stack);
    l->comma = ",";
}

static void stats_write_labels(struct json_list *l, const char *key, void (*show)(const char *, const label_counts *, void *))
{
    buffer_printf(&l->text, ",\"%s\":{", key);
    l->comma = "";
    label_each(show, l);
    buffer_text(&l->text, TEXT("}"));
}

static void stats_write_topics(buffer *b)
{
    const topics_view v = topics_look();
    buffer_printf(b, ",\"topics\":{\"topics\":%llu,\"subscriptions\":%llu,\"bytes\":%llu,\"published\":%llu,\"dropped\":%llu,"
                     "\"disconnected\":%llu}", (unsigned long long)v.topics, (unsigned long long)v.subscriptions,
                  (unsigned long long)v.bytes, (unsigned long long)v.published, (unsigned long long)v.dropped,
                  (unsigned long long)v.disconnected);
}

static void stats_write_outbox(buffer *b)
{
    outbox_view v;
    if (site_look_at_outbox(&v))
        buffer_printf(b, ",\"outbox\":{\"position\":%lld,\"behind\":%llu,\"lag_ms\":%llu,\"pruned\":%lld}", (long long)v.position,
                      (unsigned long long)v.behind, (unsigned long long)v.lag, (long long)v.pruned);
    else
        buffer_text(b, TEXT(",\"outbox\":null"));
}

static void stats_write_refusals(struct json_list *l)
{
    buffer_text(&l->text, TEXT(",\"refused\":{"));
    l->comma = "";
    for (int kind = 0; kind < REFUSALS; kind++) {
        const refusal_view v = refusal_look((refusal)kind);
        if (v.count == 0)
            continue;
        buffer_printf(&l->text, "%s\"%s\":%llu", l->comma, v.name, (unsigned long long)v.count);
        l->comma = ",";
    }
    buffer_text(&l->text, TEXT("}"));
}

int stats(request *req)
{
    struct json_list l = { .comma = "" };
    buffer_init(&l.text, request_arena(req));
    buffer_text(&l.text, TEXT("{\"loops\":["));
    loop_latency_each(stats_write_loop, &l);
    buffer_text(&l.text, TEXT("],\"lanes\":{"));
    stats_write_executors(&l.text);
    buffer_text(&l.text, TEXT("},\"workloads\":{"));
    stats_write_workloads(&l.text);
    buffer_text(&l.text, TEXT("},\"processes\":{"));
    stats_write_processes(&l.text);
    buffer_text(&l.text, TEXT("}"));
    stats_write_labels(&l, "blocked", stats_write_blocked);
    stats_write_labels(&l, "stack", stats_write_stack);
    stats_write_topics(&l.text);
    stats_write_outbox(&l.text);
    stats_write_refusals(&l);
    const log_counts log = log_count();
    const traces_counts traces = traces_count();
    buffer_printf(&l.text, ",\"log\":{\"dropped\":%llu,\"held_back\":%llu,\"access_dropped\":%llu}",
                  (unsigned long long)log.dropped, (unsigned long long)log.held_back, (unsigned long long)access_log_dropped());
    buffer_printf(&l.text, ",\"traces\":{\"sent\":%llu,\"dropped\":%llu}", (unsigned long long)traces.sent,
                  (unsigned long long)traces.dropped);
    buffer_printf(&l.text, ",\"never_awaited\":%llu,\"background_failures\":%llu}\n",
                  (unsigned long long)unawaited_count(), (unsigned long long)background_failures());
    respond_header(req, "Cache-Control", "no-store");
    return respond(req, 200, "application/json", buffer_all(&l.text));
}
