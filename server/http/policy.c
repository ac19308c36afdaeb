/* policy.c - see policy.h. */
#include "policy.h"
#include "cors.h"
#include "request.h"

#include <strings.h>

/* With no-referrer a page's own forms would come with an Origin of null. */
const text POLICY_OF_PAGES = {
#define HEADERS "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n" \
                "Referrer-Policy: same-origin\r\nX-Content-Type-Options: nosniff\r\n"
    HEADERS, sizeof HEADERS - 1
#undef HEADERS
};

/* HTML, and whatever may have it inside: XHTML, SVG and other XML. */
bool policy_is_page(const char *type)
{
    const char *sub = strchr(type, '/');
    if (!sub)
        return false;
    if (strncasecmp(++sub, "html", 4) == 0 || strncasecmp(sub, "xml", 3) == 0)
        return true;
    const char *suffix = strchr(sub, '+');
    return suffix && strncasecmp(suffix, "+xml", 4) == 0;
}

static text policy_header(const head *h, const char *name) { return header_find(h->at, h->headers, h->count, name); }

static bool text_begins(text t, const char *with)
{
    return t.length >= strlen(with) && strncasecmp(t.at, with, strlen(with)) == 0;
}

/* Of http://host, and http://host:port. An Origin leaves out the usual port, a Host may have it. */
static bool is_same_host(text origin, text host)
{
    const bool tls = text_begins(origin, "https://");
    const char *const scheme = tls ? "https://" : "http://", *const port = tls ? ":443" : ":80";
    if (!text_begins(origin, scheme))
        return false;                        /* null, above all */
    const text named = { origin.at + strlen(scheme), origin.length - strlen(scheme) };
    if (named.length == 0 || named.length > host.length || strncasecmp(named.at, host.at, named.length) != 0)
        return false;
    return named.length == host.length ||
           text_equal((text){ host.at + named.length, host.length - named.length }, text_of(port));
}

/* Sec-Fetch-Site is the browser's own word, and right behind a proxy that gives Host another name, too; it comes
 * only with what was asked by TLS, or on this machine. */
static bool is_from_another_site(const head *h, const peer *from)
{
    const text site = policy_header(h, "sec-fetch-site"), origin = policy_header(h, "origin");
    if (text_is(site, "cross-site"))
        return true;
    if (text_is(site, "same-origin") || text_is(site, "none"))
        return false;
    return origin.length > 0 && !is_same_host(origin, peer_find_host(from, h->at, h->headers, h->count));
}

static bool has_coding(const head *h)
{
    for (int i = 0; i < h->count; i++) {
        text list = header_value(h->at, h->headers[i]), coding;
        if (!text_is(header_name(h->at, h->headers[i]), "content-encoding"))
            continue;
        while (text_next_member(&list, &coding))
            if (coding.length > 0 && !text_is(coding, "identity"))
                return true;
    }
    return false;
}

static bool is_to_match(const head *h)
{
    for (int i = 0; i < h->count; i++)
        if (text_is(header_name(h->at, h->headers[i]), "if-match") && header_value(h->at, h->headers[i]).length > 0)
            return true;
    return false;
}

static int policy_refuse_site(request *req)
{
    return respond_problem(req, 403, "The request comes from a page of another site, which is not allowed.");
}

static int policy_refuse_coding(request *req)
{
    respond_header(req, "Accept-Encoding", "identity");
    return respond_problem(req, 415, "The request's body has a Content-Encoding; the server takes only bodies without one.");
}

static int policy_refuse_condition(request *req)
{
    (void)req;
    return HTTP_STATUS(412);
}

/* Their bodies are not read: the answer is the same whatever is in them. */
static const route SITE_REFUSED = { "*", "(from another site)", .await = policy_refuse_site, .streams = true },
                   CODING_REFUSED = { "*", "(in a coding)", .await = policy_refuse_coding, .streams = true },
                   CONDITION_REFUSED = { "*", "(on a condition)", .await = policy_refuse_condition, .streams = true };

const route *policy_refusal(const head *h, const match *m, const peer *from, const char *websocket_origins)
{
    if (m->route->websocket && is_from_another_site(h, from) &&
        !origin_is_listed(text_of(websocket_origins), policy_header(h, "origin")))
        return &SITE_REFUSED;
    if (h->method == HTTP_GET || h->method == HTTP_HEAD || h->method == HTTP_OPTIONS)
        return NULL;
    if (is_from_another_site(h, from) && !cors_trusts(m->route, policy_header(h, "origin")))
        return &SITE_REFUSED;
    if (h->has_body && has_coding(h))
        return &CODING_REFUSED;
    return !m->readable && is_to_match(h) ? &CONDITION_REFUSED : NULL;
}
