/* environment.c - reads settings from the environment. */
#include "config_reading.h"

#include "endpoint.h"
#include "server/base/memory.h"
#include "suggestion.h"

#include <ctype.h>
#include <string.h>

enum { NAME = 64 };                          /* no setting's variable has a longer name */

static const char PREFIX[] = "TENK_";

static void setting_variable(const setting *s, char name[NAME])
{
    snprintf(name, NAME, "%s%s_%s", PREFIX, s->section, s->key);
    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
}

static const char *environment_find(char *const environment[], const char *name)    /* NULL: unset, or empty */
{
    const size_t length = strlen(name);
    for (char *const *e = environment; *e; e++)
        if (strncmp(*e, name, length) == 0 && (*e)[length] == '=')
            return (*e)[length + 1] ? *e + length + 1 : NULL;
    return NULL;
}

/* HOST or PORT: one part of the first address that worse sources made. */
static void environment_set_part(reading *r, const char *name, const char *value)
{
    const setting *s = setting_find("server", "listen");
    const char *before = reading_origin(r->config, s)->source, *const list = r->config->server.listen;
    char source[512], part[ADDRESS_TEXT + 512];
    endpoint e;

    if (!endpoints_have_port(list, &e)) {
        reading_error(r, name, "[server] listen = %s has no HOST:PORT of which it could be a part", list);
        return;
    }
    if (strcmp(name, "PORT") == 0)
        snprintf(part, sizeof part, strchr(e.at.host, ':') ? "[%s]:%s" : "%s:%s", e.at.host, value);
    else
        snprintf(part, sizeof part, strchr(value, ':') && *value != '[' ? "[%s]:%d" : "%s:%d", value,
                 e.at.port);
    if (strcmp(before, "default") == 0)
        snprintf(source, sizeof source, "%s", name);
    else
        snprintf(source, sizeof source, "%s, %s", before, name);
    const size_t size = strlen(list) + sizeof part;
    char *const text = mem_alloc(size);
    snprintf(text, size, "%.*s%s%s", (int)(e.written.at - list), list, part, e.written.at + e.written.length);
    reading_set(r, s, text, source);
    mem_free(text);
}

static void environment_read_usual(reading *r, char *const environment[])
{
    const char *value;
    if ((value = environment_find(environment, "HOST")))
        environment_set_part(r, "HOST", value);
    if ((value = environment_find(environment, "PORT")))
        environment_set_part(r, "PORT", value);
    if ((value = environment_find(environment, "DATABASE_URL")))
        reading_set(r, setting_find("database", "url"), value, "DATABASE_URL");
    if ((value = environment_find(environment, "WEB_CONCURRENCY")))
        reading_set(r, setting_find("server", "workers"), value, "WEB_CONCURRENCY");
}

static void environment_read_own(reading *r, const char *name, const char *value)
{
    char variable[NAME], best[NAME];
    suggestion near = { .word = name };
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        setting_variable(s, variable);
        if (strcmp(variable, name) == 0) {
            reading_set(r, s, value, name);
            return;
        }
        const int edits = near.best ? near.edits : NAME;
        suggestion_try(&near, variable);
        if (near.best && near.edits < edits)
            near.best = strcpy(best, variable);    /* variable is about to change */
    }
    reading_error(r, name, "no setting has this name%s%s%s", near.best ? "; did you mean " : "",
                  near.best ? near.best : "", near.best ? "?" : "");
}

void config_read_environment(reading *r, char *const environment[])
{
    environment_read_usual(r, environment);
    for (char *const *e = environment; *e; e++) {
        const char *equals = strchr(*e, '=');
        if (strncmp(*e, PREFIX, sizeof PREFIX - 1) != 0 || !equals || !equals[1])
            continue;
        char *name = mem_copy(*e);
        name[equals - *e] = '\0';
        environment_read_own(r, name, equals + 1);
        mem_free(name);
    }
}
