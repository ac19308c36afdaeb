/* post.c - see post.h. */
#include "post.h"
#include "server/base/utf8.h"
#include "server/base/vector.h"
#include "server/http/message/status.h"

#include <stdarg.h>
#include <stdio.h>

enum { LONGEST_TITLE = 200, LONGEST_BODY = 65536, DEEPEST = 32 };     /* bytes, bytes, brackets */

static int post_wrong(char why[POST_WHY], int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int post_wrong(char why[POST_WHY], int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, POST_WHY, format, args);
    va_end(args);
    return HTTP_STATUS(status);
}

/* Quotes, backslashes, and brackets of both kinds, which differ in one bit; and the bar, between the latter. */
static inline vector vector_structure(vector v)
{
    return vector_or(vector_within(vector_with(v, 0x20), '{', '}'), vector_equals(v, '"'));
}

/* jansson follows nested brackets by recursion, farther than a task's stack reaches. */
static bool json_is_deep(text t)
{
    const char *const end = t.at + t.length;
    int depth = 0;
    bool in_string = false;
    for (const char *at = t.at; (at = vector_find(t.at, at, end, vector_structure)) < end; at++) {
        if (*at == '"')
            in_string = !in_string;
        else if (in_string)
            at += *at == '\\' && at + 1 < end;   /* what follows it is no quote */
        else if (*at == '[' || *at == '{')
            depth++;
        else if (*at == ']' || *at == '}')
            depth--;
        if (depth > DEEPEST)
            return true;
    }
    return false;
}

/* What is JSON, and nothing that can be taken: why. NULL: it is not JSON. */
static const char *json_unusable(const json_error_t *error)
{
    static const char SURROGATE[] = "invalid Unicode '";     /* the library has no code for it */
    switch (json_error_code(error)) {
    case json_error_duplicate_key:    return "an object has the same name twice";
    case json_error_null_byte_in_key:
    case json_error_null_character:   return "a string has the character U+0000, which no text here can hold";
    case json_error_numeric_overflow: return "a number is larger than can be held";
    default:
        return strncmp(error->text, SURROGATE, strlen(SURROGATE)) == 0 ? "a string has half of a surrogate pair" : NULL;
    }
}

/* Some programs begin a text with one, which is no part of it (RFC 8259, 8.1). */
static text without_byte_order_mark(text t)
{
    const text mark = TEXT("\xef\xbb\xbf");
    const bool has = t.length >= mark.length && memcmp(t.at, mark.at, mark.length) == 0;
    return has ? (text){ t.at + mark.length, t.length - mark.length } : t;
}

int post_parse(text json, json_t **value, char why[POST_WHY])
{
    json_error_t error;
    char line[32] = "";
    if (json_is_deep(json))
        return post_wrong(why, 400, "This is nested more than %d levels deep.", DEEPEST);
    json = without_byte_order_mark(json);
    json_t *parsed = json_loadb(json.at, json.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (parsed) {
        *value = parsed;
        return 0;
    }
    if (error.line > 1)
        snprintf(line, sizeof line, "line %d, ", error.line);
    const char *reason = json_unusable(&error);
    if (reason)
        return post_wrong(why, 422, "This JSON cannot be used: %scolumn %d: %s.", line, error.column, reason);
    return post_wrong(why, 400, "This is not JSON: %scolumn %d: %s.", line, error.column, error.text);
}

int post_of(const json_t *object, post *p, char why[POST_WHY])
{
    const json_t *title = json_object_get(object, "title"), *body = json_object_get(object, "body");
    if (!json_is_string(title) || !json_is_string(body))
        return post_wrong(why, 422, "A post is an object with the strings title and body.");
    p->title = (text){ json_string_value(title), json_string_length(title) };
    p->body = (text){ json_string_value(body), json_string_length(body) };
    return 0;
}

bool post_text_is_valid(text t) { return utf8_is(t.at, t.length) && !memchr(t.at, '\0', t.length); }

int post_check(const post *p, char why[POST_WHY])
{
    if (text_is_blank(p->title) || text_is_blank(p->body))
        return post_wrong(why, 422, "The %s must not be empty.", text_is_blank(p->title) ? "title" : "body");
    if (p->title.length > LONGEST_TITLE)
        return post_wrong(why, 422, "The title is longer than %d bytes.", LONGEST_TITLE);
    if (p->body.length > LONGEST_BODY)
        return post_wrong(why, 422, "The body is longer than %d bytes.", LONGEST_BODY);
    if (!post_text_is_valid(p->title) || !post_text_is_valid(p->body))
        return post_wrong(why, 422, "The title and the body must be UTF-8 text.");
    return 0;
}

static const text BEFORE_ID = { "{\"id\":", sizeof "{\"id\":" - 1 };

static void write_behind_id(buffer *b, int64_t user, const post *p, int64_t created_at)
{
    buffer_text(b, TEXT(",\"user_id\":"));
    buffer_int(b, user);
    buffer_text(b, TEXT(",\"title\":"));
    buffer_json(b, p->title);
    buffer_text(b, TEXT(",\"body\":"));
    buffer_json(b, p->body);
    buffer_text(b, TEXT(",\"created_at\":"));
    buffer_int(b, created_at);
    buffer_text(b, TEXT("}"));
}

void post_write_json(buffer *b, int64_t id, int64_t user, const post *p, int64_t created_at)
{
    buffer_text(b, BEFORE_ID);
    buffer_int(b, id);
    write_behind_id(b, user, p, created_at);
}

void post_json_around_id(arena *a, int64_t user, const post *p, int64_t created_at, text *before, text *after)
{
    buffer b;
    buffer_init(&b, a);
    write_behind_id(&b, user, p, created_at);
    *before = BEFORE_ID;
    *after = buffer_all(&b);
}

text post_json(arena *a, int64_t id, int64_t user, const post *p, int64_t created_at)
{
    buffer b;
    buffer_init(&b, a);
    post_write_json(&b, id, user, p, created_at);
    return buffer_all(&b);
}
