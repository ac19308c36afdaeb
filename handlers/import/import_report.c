/* import_report.c - see import_report.h. */
#include "import_report.h"
#include "server/base/buffer.h"
#include "server/http/message/status.h"
#include "server/base/overload/refusal.h"
#include "server/base/errors.h"

#include <stdio.h>
#include <uv.h>

struct import_refusal { uint64_t line; char why[POST_WHY]; };
struct line_range    { struct line_range *next; uint64_t from, to; };    /* no two touch */

/* Several workers report: nearly in order, but not quite. */
void import_report_refuse(import_report *r, uint64_t line, const char *why)
{
    r->refused++;
    if (!r->refusals)
        r->refusals = arena_alloc(r->arena, IMPORT_REFUSALS_LISTED * sizeof *r->refusals);
    if (r->listed == IMPORT_REFUSALS_LISTED) {
        if (line > r->refusals[IMPORT_REFUSALS_LISTED - 1].line)
            return;
        r->listed--;                         /* a later one makes room */
    }
    struct import_refusal *at = r->refusals + r->listed;
    for (; at > r->refusals && at[-1].line > line; at--)
        at[0] = at[-1];
    at->line = line;
    snprintf(at->why, sizeof at->why, "%s", why);
    r->listed++;
}

static void ranges_add(arena *a, struct line_range **link, uint64_t from, uint64_t to)
{
    while (*link && (*link)->to + 1 < from)
        link = &(*link)->next;
    struct line_range *s = *link;
    if (!s || to + 1 < s->from) {
        s = arena_alloc(a, sizeof *s);
        *s = (struct line_range){ *link, from, to };
        *link = s;
        return;
    }
    s->from = from < s->from ? from : s->from;
    s->to = to > s->to ? to : s->to;
    for (struct line_range *n; (n = s->next) && n->from <= s->to + 1; s->next = n->next)
        s->to = n->to > s->to ? n->to : s->to;
}

void import_report_missing(import_report *r, uint64_t from, uint64_t to)   { ranges_add(r->arena, &r->missing, from, to); }
void import_report_uncertain(import_report *r, uint64_t from, uint64_t to) { ranges_add(r->arena, &r->uncertain, from, to); }

const char *import_report_reason(int err)
{
    switch (refusal_is(err) || err_is_transient(err) ? UV_EAGAIN : err) {
    case 0:                return "all of it is read";
    case HTTP_STATUS(400): return "the body broke off before its end";
    case HTTP_STATUS(408): return "the body did not arrive in time";
    case HTTP_STATUS(431): return "there is too much around the body";
    case UV_ESHUTDOWN:     return "the server stops";
    case UV_ECANCELED:     return "the client is gone";
    case UV_ENOSPC:        return "the database has no room left";
    case UV_ETIMEDOUT:     return "the database took longer than it may";
    case ERR_UNCERTAIN:    return "the database was lost while it stored some lines";
    case UV_EAGAIN:        return "the database has too much to do";
    default:               return "the database failed";
    }
}

static void report_write_count(buffer *b, const char *key, uint64_t n)
{
    buffer_printf(b, "\"%s\":%llu", key, (unsigned long long)n);
}

static void report_write_ranges(buffer *b, const char *key, const struct line_range *s)
{
    buffer_printf(b, "\"%s\":[", key);
    for (; s; s = s->next) {
        buffer_text(b, TEXT("{"));
        report_write_count(b, "from", s->from);
        buffer_text(b, TEXT(","));
        report_write_count(b, "to", s->to);
        buffer_text(b, s->next ? TEXT("},") : TEXT("}"));
    }
    buffer_text(b, TEXT("],"));
}

int import_report_status(const import_report *r, int err) { return !err ? 200 : status_of(r->uncertain ? ERR_UNCERTAIN : err); }

static void report_write_problem(buffer *b, const import_report *r, int err)
{
    const int status = import_report_status(r, err);
    char detail[384];
    snprintf(detail, sizeof detail,
             "The import ended early: %s. Of %llu lines, %llu are stored; those missing are not, and may be sent again.%s",
             import_report_reason(err), (unsigned long long)r->lines, (unsigned long long)r->stored,
             r->uncertain ? " Of those uncertain it is not known: look whether they are there before you send them." : "");
    buffer_text(b, TEXT("\"type\":\"about:blank\",\"title\":"));
    buffer_json(b, status_reason(status));
    buffer_printf(b, ",\"status\":%d,\"detail\":", status);
    buffer_json(b, text_of(detail));
    buffer_text(b, TEXT(","));
    report_write_ranges(b, "missing", r->missing);
    report_write_ranges(b, "uncertain", r->uncertain);
}

text import_report_json(const import_report *r, int err)
{
    buffer b;
    buffer_init(&b, r->arena);
    buffer_text(&b, TEXT("{"));
    if (err)
        report_write_problem(&b, r, err);
    report_write_count(&b, "lines", r->lines);
    buffer_text(&b, TEXT(","));
    report_write_count(&b, "blank", r->blank);
    buffer_text(&b, TEXT(","));
    report_write_count(&b, "stored", r->stored);
    buffer_text(&b, TEXT(","));
    report_write_count(&b, "refused", r->refused);
    buffer_text(&b, TEXT(",\"refusals\":["));
    for (int i = 0; i < r->listed; i++) {
        buffer_text(&b, i ? TEXT(",{") : TEXT("{"));
        report_write_count(&b, "line", r->refusals[i].line);
        buffer_text(&b, TEXT(",\"why\":"));
        buffer_json(&b, text_of(r->refusals[i].why));
        buffer_text(&b, TEXT("}"));
    }
    buffer_text(&b, TEXT("]}\n"));
    return buffer_all(&b);
}
