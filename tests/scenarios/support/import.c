/* import.c - see import.h. */
#include "import.h"

#include "tests/scenarios/scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

report report_in(answer a, int status)
{
    static json_t *whole;
    json_decref(whole);
    whole = json_in(a, status);
    if (status != 200)
        ck_assert_int_eq(number_of(whole, "status"), status);
    return (report){ (int)number_of(whole, "lines"), (int)number_of(whole, "blank"), (int)number_of(whole, "stored"),
                     (int)number_of(whole, "refused"), whole };
}

void expect_counts(const report *r, int lines, int blank, int stored, int refused)
{
    ck_assert_msg(r->lines == lines && r->blank == blank && r->stored == stored && r->refused == refused,
                  "%d lines, %d blank, %d stored, %d refused: %s", r->lines, r->blank, r->stored, r->refused,
                  json_dumps(r->whole, 0));
    ck_assert_uint_le(json_array_size(json_object_get(r->whole, "refusals")), 1000);
}

void expect_refusal(const report *r, int line, const char *why)
{
    size_t i;
    json_t *each;
    json_array_foreach(json_object_get(r->whole, "refusals"), i, each)
        if (number_of(each, "line") == line) {
            const char *said = json_string_value(json_object_get(each, "why"));
            ck_assert_msg(strstr(said, why) != NULL, "line %d: %s", line, said);
            return;
        }
    ck_abort_msg("line %d is not refused: %s", line, json_dumps(r->whole, 0));
}

report import(const char *body, int lines, int blank, int stored, int refused)
{
    const report r = report_in(post("/import", NDJSON, body), 200);
    expect_counts(&r, lines, blank, stored, refused);
    return r;
}

char *many_lines(int count, int user, const char *title, int bytes)
{
    char *all = malloc((size_t)count * (size_t)(bytes + 100) + 1), *at = all;
    for (int i = 0; i < count; i++) {
        at += sprintf(at, "{\"user_id\":%d,\"title\":\"%s %d\",\"body\":\"", user, title, i);
        memset(at, 'x', (size_t)bytes);
        at += bytes;
        at += sprintf(at, "\"}\n");
    }
    return all;
}

client *import_begin(void)
{
    client *c = client_new();
    client_say(c, STREAM);
    return c;
}

void say_chunk(client *c, const char *bytes)
{
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", strlen(bytes));
    client_say(c, size);
    client_say(c, bytes);
    client_say(c, "\r\n");
}
