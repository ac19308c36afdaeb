/* json.c - see json.h. */
#include "json.h"

#include "tests/scenarios/scenarios.h"

json_t *json_in_at(const char *file, int line, answer a, int status)
{
    json_error_t error;
    expect_at(file, line, a, status, status < 400 ? "application/json" : "application/problem+json");
    json_t *whole = json_loadb(a.body, a.length, 0, &error);
    ck_assert_msg(whole != NULL, "%s:%d: this is no JSON, line %d: %s: %.400s", file, line, error.line, error.text,
                  a.body);
    return whole;
}

int64_t number_of(const json_t *object, const char *key)
{
    const json_t *n = json_object_get(object, key);
    ck_assert_msg(json_is_integer(n), "there is no %s", key);
    return json_integer_value(n);
}
