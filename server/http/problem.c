/* problem.c - answers that say what is wrong: RFC 9457 for programs, a page for people. */
#include "server/http/message/accept_header.h"
#include "request.h"
#include "request_internal.h"
#include "server/base/buffer.h"
#include "server/base/overload/refusal.h"
#include "server/base/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <uv.h>

static const text HTML = { "text/html", 9 }, JSON = { "application/json", 16 },
                  PROBLEM = { "application/problem+json", 24 };

bool request_prefers_json(request *req)
{
    return accept_header_prefers(request_list(req, "accept"), JSON, HTML);
}

bool problem_prefers_html(text accept)
{
    return accept_header_prefers(accept, HTML, JSON) && accept_header_prefers(accept, HTML, PROBLEM);
}

static bool request_prefers_problem_html(request *req) { return problem_prefers_html(request_list(req, "accept")); }

static void problem_write_bare(buffer *b, int status, text reason, text detail)
{
    buffer_printf(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%d ", status);
    buffer_text(b, reason);
    buffer_text(b, TEXT("</title>\n<link rel=\"stylesheet\" href=\"/static/style.css\">\n<main>\n<h1>"));
    buffer_text(b, reason);
    buffer_printf(b, " <small>%d</small></h1>\n<p>", status);
    buffer_html(b, detail);
    buffer_text(b, TEXT("</p>\n<p><a href=\"/\">Back to the start</a></p>\n</main>\n"));
}

static problem_page *problem_page_of_site = problem_write_bare;

void problem_use(problem_page *p) { problem_page_of_site = p ? p : problem_write_bare; }

static void problem_write_page(buffer *b, int status, text detail)
{
    problem_page_of_site(b, status, status_reason(status), detail);
}

static void problem_begin_json(buffer *b, int status, text detail)
{
    buffer_text(b, TEXT("{\"type\":\"about:blank\",\"title\":"));
    buffer_json(b, status_reason(status));
    buffer_printf(b, ",\"status\":%d,\"detail\":", status);
    buffer_json(b, detail);
}

/* RFC 9457, 3.2: members of our own, for programs. */
static void problem_write_refusal(buffer *b, const refusal_view *v, text why)
{
    problem_begin_json(b, 503, why);
    buffer_text(b, TEXT(",\"limit\":"));
    buffer_json(b, text_of(v->setting ? v->setting : v->name));
    if (v->setting)
        buffer_printf(b, v->time ? ",\"limit_ms\":%llu" : ",\"limit_count\":%llu", (unsigned long long)v->limit);
    buffer_printf(b, ",\"waited_ms\":%.1f}\n", (double)v->waited / 1e6);
}

/* member is one of JSON's more, or "". */
static int problem_respond(request *req, int status, text why, const char *member, bool again)
{
    const bool html = request_prefers_problem_html(req);
    buffer body;
    buffer_init(&body, &req->arena);
    if (html)
        problem_write_page(&body, status, why);
    else {
        problem_begin_json(&body, status, why);
        buffer_printf(&body, "%s}\n", member);
    }
    respond_header(req, "Vary", "Accept");
    if (again)
        respond_header(req, "Retry-After", "1");
    respond(req, status, html ? "text/html; charset=utf-8" : "application/problem+json", buffer_all(&body));
    return HTTP_STATUS(status);
}

int respond_problem(request *req, int status, const char *format, ...)
{
    char detail[512];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    return problem_respond(req, status, text_of(detail), "", status == 503);
}

static const char *problem_explanation(int status)
{
    switch (status) {
    case 400: return "The request is malformed.";
    case 403: return "The request is not allowed.";
    case 404: return "There is nothing at this address.";
    case 408: return "The request did not arrive in time.";
    case 412: return "The condition that the request makes, by If-Match, If-None-Match or If-Unmodified-Since, does not hold.";
    case 413: return "The request's body is larger than the server allows.";
    case 414: return "The request's address is longer than the server allows.";
    case 415: return "The request's body has a Content-Type that this address does not take.";
    case 417: return "The request has an Expect header other than 100-continue, which is the only one that the server supports.";
    case 422: return "The request's body is well formed, but its values cannot be used.";
    case 431: return "The request has larger headers, or more of them, than the server allows.";
    case 501: return "The server does not implement the request's method or transfer coding.";
    case 502: return "Another server, which this one needs for the answer, gave none that can be used.";
    case 503: return "The server cannot do that just now. Please try again in a moment.";
    case 504: return "The request took longer than the server allows.";
    case 505: return "The server supports HTTP/1.0 and HTTP/1.1 only.";
    case 507: return "The server has no space left to store this.";
    default:  return "Something went wrong in the server, whose log says more.";
    }
}

void respond_refusal(request *req, int err, bool html)
{
    const refusal_view v = refusal_look(refusal_of(err));
    char why[256];
    buffer body;
    refusal_explain(&v, why, sizeof why);
    buffer_init(&body, &req->arena);
    if (html)
        problem_write_page(&body, 503, text_of(why));
    else
        problem_write_refusal(&body, &v, text_of(why));
    respond_header(req, "Vary", "Accept");
    respond_header(req, "Retry-After", "%u", refusal_retry_after(&v));
    respond(req, 503, html ? "text/html; charset=utf-8" : "application/problem+json", buffer_all(&body));
}

/* What another try would make worse, or not better. */
static const struct { int err; const char *why, *member; } FINAL[] = {
    { ERR_UNCERTAIN, "It is not known whether this was stored: the connection to the database broke before it said so. "
                     "Look whether it is there before you send it again.", ",\"uncertain\":true" },
    { UV_EROFS, "The database can be read, but not written. Nothing was stored, and this server's log says why.", "" },
};

int respond_error(request *req, int err)
{
    const int status = status_of(err);
    if (refusal_is(err)) {
        respond_refusal(req, err, request_prefers_problem_html(req));
        return HTTP_STATUS(status);
    }
    for (size_t i = 0; i < sizeof FINAL / sizeof *FINAL; i++)
        if (err == FINAL[i].err)
            return problem_respond(req, status, text_of(FINAL[i].why), FINAL[i].member, false);
    return respond_problem(req, status, "%s", problem_explanation(status));
}

void request_answer(request *req)
{
    const char *allow = req->allow;
    if (!allow && text_equal(request_path(req), TEXT("*")))
        allow = "GET, HEAD, POST, OPTIONS";  /* of the server as a whole */
    if (!allow) {
        respond_error(req, E_NOT_FOUND);
        return;
    }
    respond_header(req, "Allow", "%s", allow);
    if (req->method == HTTP_OPTIONS)
        respond_nothing(req, 204);
    else
        respond_problem(req, 405, "This address allows only %s.", allow);
}
