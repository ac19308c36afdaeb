/* metrics_http.c - of /metrics: requests, connections, and what was refused. */
#include "metrics.h"
#include "server/async/label.h"
#include "server/base/overload/refusal.h"
#include "server/http/message/status.h"

#include <stdio.h>

static void answers_write(metrics_page *p, const char *name, bool head, const uint64_t counts[SHARD_OUTCOMES])
{
    char status[16];
    const char *const path = strchr(name, ' ');
    char method[16] = "other";
    if (head)
        strcpy(method, "HEAD");
    else if (path)
        snprintf(method, sizeof method, "%.*s", (int)(path - name), name);
    for (int i = 0; i < STATUSES; i++) {
        if (counts[i] == 0)
            continue;
        snprintf(status, sizeof status, "%d", status_of_number(i));
        const char *const route = path ? path + 1 : "unmatched";
        exposition_number(&p->e, exposition_labels(&p->e, "method", method, "route", route, "status", status, NULL), counts[i]);
    }
}

static void write_requests(metrics_page *p)
{
    duration_sums took;
    uint64_t answers[2][SHARD_OUTCOMES];
    for (int l = 0; l < label_count(); l++)
        if (shard_sum_route((uint16_t)l, &took, answers)) {
            answers_write(p, label_name((label)l), false, answers[0]);
            answers_write(p, label_name((label)l), true, answers[1]);
        }
}

static void write_durations(metrics_page *p)
{
    duration_sums took;
    uint64_t answers[2][SHARD_OUTCOMES];
    for (int l = 0; l < label_count(); l++)
        if (shard_sum_route((uint16_t)l, &took, answers) && took.count > 0)
            exposition_durations(&p->e, metrics_labels_of(p, label_name((label)l)), &took);
}

static void write_refusals(metrics_page *p)
{
    for (int kind = 0; kind < REFUSALS; kind++) {
        const refusal_view v = refusal_look((refusal)kind);
        exposition_number(&p->e, exposition_labels(&p->e, "reason", v.name, NULL), v.count);
    }
}

#define CELL(function, cell) static void function(metrics_page *p) { exposition_number(&p->e, TEXT(""), shard_sum(cell)); }

CELL(write_in_flight, SHARD_REQUESTS)
CELL(write_waiting, SHARD_WAITING)
CELL(write_left, SHARD_LEFT)
CELL(write_connections, SHARD_CONNECTIONS)
CELL(write_accepted, SHARD_ACCEPTED)
CELL(write_received, SHARD_RECEIVED)
CELL(write_sent, SHARD_SENT)
CELL(write_websockets, SHARD_WEBSOCKETS)
CELL(write_websockets_opened, SHARD_WEBSOCKETS_OPENED)
CELL(write_streams, SHARD_STREAMS)
CELL(write_streams_opened, SHARD_STREAMS_OPENED)

const metric_family METRICS_OF_HTTP[] = {
    { { "http_requests_total", "counter", "Answers, by the route's method and pattern, and by status." }, write_requests },
    { { "http_request_duration_seconds", "histogram", "From a request's head to its handler's end; not of streams, websockets." },
      write_durations },
    { { "http_requests_in_flight", "gauge", "Requests that have begun and are not over, open websockets and streams included." },
      write_in_flight },
    { { "http_requests_waiting", "gauge", "Requests in line for the database, which have not begun." }, write_waiting },
    { { "http_requests_abandoned_total", "counter", "Requests whose client had left before they were answered." }, write_left },
    { { "http_requests_refused_total", "counter", "What was answered with 503 because a limit was met, by which." },
      write_refusals },
    { { "http_connections", "gauge", "Connections of clients that are open." }, write_connections },
    { { "http_connections_accepted_total", "counter", "Connections of clients since the start." }, write_accepted },
    { { "http_received_bytes_total", "counter", "Bytes from clients." }, write_received },
    { { "http_sent_bytes_total", "counter", "Bytes to clients." }, write_sent },
    { { "websocket_connections", "gauge", "Websockets that are open." }, write_websockets },
    { { "websocket_connections_opened_total", "counter", "Websockets since the start." }, write_websockets_opened },
    { { "event_streams", "gauge", "Answers of server-sent events that go on." }, write_streams },
    { { "event_streams_opened_total", "counter", "The same since the start." }, write_streams_opened },
    { { NULL, NULL, NULL }, NULL },
};
