/* users.c - the JSON of a user and their posts. */
#include "users.h"
#include "json.h"

#include <string.h>

static char *put(char *p, const char *text) { return stpcpy(p, text); }

static char *put_cell(char *p, const cell *c)
{
    return c->text ? put_string(p, c->text, c->length) : put_integer(p, c->integer);
}

char *put_user(char *p, const cell columns[4])
{
    p = put_cell(put(p, "{\"user\":{\"id\":"), &columns[0]);
    p = put_cell(put(p, ",\"name\":"), &columns[1]);
    p = put_cell(put(p, ",\"email\":"), &columns[2]);
    p = put_cell(put(p, ",\"created_at\":"), &columns[3]);
    return put(p, "},\"posts\":[");
}

char *put_post(char *p, const cell columns[4], int index)
{
    p = put_cell(put(p, index > 0 ? ",{\"id\":" : "{\"id\":"), &columns[0]);
    p = put_cell(put(p, ",\"title\":"), &columns[1]);
    p = put_cell(put(p, ",\"body\":"), &columns[2]);
    p = put_cell(put(p, ",\"created_at\":"), &columns[3]);
    return put(p, "}");
}

char *put_end(char *p) { return put(p, "],\"previous\":null,\"next\":null}"); }
