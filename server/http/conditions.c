/* conditions.c - see conditions.h. */
#include "conditions.h"
#include "request_internal.h"

/* A list of tags, or *, which any will do for. A weak one (W/"x") names what is as good, and so is no match where
 * the very same is wanted (8.8.3.2). */
static bool conditions_tag_matches(text list, text tag, bool weakly)
{
    if (text_equal(list, TEXT("*")))
        return true;
    for (const char *at = list.at, *end = at + list.length; (at = memchr(at, '"', (size_t)(end - at)));) {
        const bool weak = at - list.at >= 2 && at[-1] == '/' && at[-2] == 'W';
        const char *close = memchr(at + 1, '"', (size_t)(end - at - 1));
        if (!close)
            return false;
        if ((weakly || !weak) && text_equal((text){ at, (size_t)(close + 1 - at) }, tag))
            return true;
        at = close + 1;
    }
    return false;
}

/* A date in any of the three formats that one must understand (5.6.7). */
static bool conditions_read_date(text t, time_t *date)
{
    static const char *const FORMATS[] = {
        "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y",
    };
    char terminated[64];
    if (t.length >= sizeof terminated)
        return false;
    memcpy(terminated, t.at, t.length);
    terminated[t.length] = '\0';
    for (int i = 0; i < 3; i++) {
        struct tm utc = { 0 };
        const char *end = strptime(terminated, FORMATS[i], &utc);
        if (end && *end == '\0') {
            *date = timegm(&utc);
            return true;
        }
    }
    return false;
}

/* Has it changed since the date in that header? unknown: if either time is. */
static bool conditions_changed_since(request *req, const char *name, time_t modified, bool unknown)
{
    time_t date;
    return modified != CONDITIONS_NO_TIME && conditions_read_date(request_header(req, name), &date) ? modified > date : unknown;
}

/* In the order of 13.2.2. */
int conditions_check(request *req, const char *quoted, time_t modified)
{
    const text tag = text_of(quoted);
    const text wanted = request_list(req, "if-match"), known = request_list(req, "if-none-match");
    const bool reads = req->method == HTTP_GET || req->method == HTTP_HEAD;
    if (wanted.length > 0 ? !conditions_tag_matches(wanted, tag, false)
                          : conditions_changed_since(req, "if-unmodified-since", modified, false))
        return HTTP_STATUS(412);
    if (known.length > 0 ? !conditions_tag_matches(known, tag, true)
                         : !reads || conditions_changed_since(req, "if-modified-since", modified, true))
        return 0;
    return reads ? 304 : HTTP_STATUS(412);
}

int respond_conditions(request *req, const char *tag, time_t modified)
{
    char date[64];
    struct tm utc;
    respond_header(req, "ETag", "%s", tag);
    if (modified < 0 || modified > time(NULL))               /* no time at which it can have changed */
        modified = CONDITIONS_NO_TIME;
    if (modified != CONDITIONS_NO_TIME && gmtime_r(&modified, &utc) &&
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc) > 0)
        respond_header(req, "Last-Modified", "%s", date);
    return conditions_check(req, tag, modified);
}

/* Eight bytes at a time, each of which the upper half of a product spreads over all. */
static uint64_t conditions_hash(text t)
{
    const uint64_t ODD = 0x9e3779b97f4a7c15;
    uint64_t h = t.length, word;
    for (; t.length >= sizeof word; t.at += sizeof word, t.length -= sizeof word) {
        memcpy(&word, t.at, sizeof word);
        h = (h ^ word) * ODD;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, t.at, t.length);
    h = (h ^ word) * ODD;
    return h ^ h >> 32;
}

void conditions_tag(char tag[CONDITIONS_TAG], text body)
{
    uint64_t hash = conditions_hash(body);
    for (int i = CONDITIONS_TAG - 3; i > 0; i--, hash >>= 4)
        tag[i] = "0123456789abcdef"[hash & 15];
    tag[0] = tag[CONDITIONS_TAG - 2] = '"';
    tag[CONDITIONS_TAG - 1] = '\0';
}

int respond_tagged(request *req, const char *type, text body, time_t modified)
{
    char tag[CONDITIONS_TAG];
    conditions_tag(tag, body);
    const int condition = respond_conditions(req, tag, modified);
    if (condition)
        return condition == 304 ? respond_nothing(req, 304) : condition;
    return respond(req, 200, type, body);
}
