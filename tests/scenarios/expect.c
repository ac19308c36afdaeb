/* expect.c - what scenarios expect of answers alike. */
#include "scenarios.h"

#include <jansson.h>
#include <string.h>

#define SHOWN 400                            /* characters of an answer in a message */

TCase *theme(Suite *s, const char *name, void (*start)(void))
{
    TCase *t = tcase_create(name);
    if (start)
        tcase_add_unchecked_fixture(t, start, server_fixture_stop);
    suite_add_tcase(s, t);
    return t;
}

void expect_at(const char *file, int line, answer a, int status, const char *type)
{
    if (a.status != status)
        ck_abort_msg("%s:%d: status %d, expected %d: %.*s%.*s", file, line, a.status, status, SHOWN,
                     a.head, SHOWN, a.body);
    const char *is = header(&a, "Content-Type");
    if (type && (!is || strncmp(is, type, strlen(type)) != 0))
        ck_abort_msg("%s:%d: type %s, expected %s", file, line, is ? is : "none", type);
}

void expect_unavailable_at(const char *file, int line, answer a)
{
    expect_problem_at(file, line, a, 503);
    if (!header(&a, "Retry-After"))
        ck_abort_msg("%s:%d: no Retry-After: %.*s", file, line, SHOWN, a.head);
}

void expect_body_at(const char *file, int line, answer a, const char *part)
{
    if (!strstr(a.body, part))
        ck_abort_msg("%s:%d: the body has no \"%s\": %.*s", file, line, part, SHOWN, a.body);
}

void expect_problem_at(const char *file, int line, answer a, int status)
{
    expect_at(file, line, a, status, "application/problem+json");
    json_t *problem = json_loadb(a.body, a.length, 0, NULL);
    const bool whole = json_is_string(json_object_get(problem, "type"))
        && json_is_string(json_object_get(problem, "title"))
        && json_string_length(json_object_get(problem, "title")) > 0
        && json_integer_value(json_object_get(problem, "status")) == status
        && json_string_length(json_object_get(problem, "detail")) > 0;
    json_decref(problem);
    if (!whole)
        ck_abort_msg("%s:%d: not what RFC 9457 asks for: %.*s", file, line, SHOWN, a.body);
}
