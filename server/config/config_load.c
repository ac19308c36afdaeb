/* config_load.c - see config_load.h. Every setting is set from the worst source first, so that the last one
 * to set it wins; then "auto" is worked out, and what must hold between settings is checked. */
#include "config_load.h"
#include "config_reading.h"
#include "endpoint.h"
#include "redaction.h"
#include "server/base/memory.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

config_origin *reading_origin(const config *c, const setting *s)
{
    return &c->origins[s - SETTINGS];
}

void reading_error(reading *r, const char *source, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(r->errors, "%s: ", source);
    vfprintf(r->errors, format, args);
    fputc('\n', r->errors);
    va_end(args);
    r->error_count++;
}

static char *copy_trimmed(const char *text)
{
    char *copy = mem_copy(text + strspn(text, " \t"));
    size_t length = strlen(copy);
    while (length && strchr(" \t\r\n", copy[length - 1]))
        copy[--length] = '\0';
    return copy;
}

void reading_set(reading *r, const setting *s, const char *value, const char *source)
{
    char why[512];
    char *text = copy_trimmed(value);
    config_origin *o = reading_origin(r->config, s);

    if (setting_store(s, r->config, text, why, sizeof why)) {
        reading_error(r, source, "[%s] %s: %s", s->section, s->key, why);
        mem_free(text);
        return;
    }
    char *from = mem_copy(source);           /* source may be made of o->source */
    mem_free(o->text);
    mem_free(o->source);
    *o = (config_origin){ text, from };
}

static bool setting_is_auto(const config *c, const setting *s)
{
    return setting_may_be_auto(s) && strcmp(reading_origin(c, s)->text, "auto") == 0;
}

/* b is the one to blame, unless only a was given. */
static void config_check_at_most(reading *r, bool holds, const setting *a, const setting *b)
{
    const config_origin *low = reading_origin(r->config, a), *high = reading_origin(r->config, b);
    if (!holds)
        reading_error(r, strcmp(high->source, "default") == 0 ? low->source : high->source,
                      "[%s] %s = %s is more than [%s] %s = %s", a->section, a->key, low->text,
                      b->section, b->key, high->text);
}

static void config_check_proxy_protocol(reading *r, const char *section, const char *listen)
{
    if (endpoints_have_proxy_protocol(listen) && strcmp(r->config->server.trusted_proxies, CONFIG_NONE) == 0)
        reading_error(r, reading_origin(r->config, setting_find(section, "listen"))->source,
                      "[%s] listen: proxy_protocol=on is for [server] trusted_proxies, of whom there is none", section);
}

static void config_check_addresses(reading *r)
{
    const config *c = r->config;
    const text compare = text_of(c->server.compare);
    text rest = text_of(c->server.listen);
    char ignored[1];
    endpoint e;
    while (!endpoint_next(&rest, &e, ignored, sizeof ignored))
        if (text_equal(e.written, compare) && e.at.port != 0)
            reading_error(r, reading_origin(c, setting_find("server", "compare"))->source,
                          "[server] compare: %s is where [server] listen is", c->server.compare);
    config_check_proxy_protocol(r, "server", c->server.listen);
    config_check_proxy_protocol(r, "admin", c->admin.listen);
    if (c->patterns.enabled && !endpoints_have_port(c->server.listen, NULL))
        reading_error(r, reading_origin(c, setting_find("patterns", "enabled"))->source,
                      "[patterns] enabled: the gallery asks the server itself by TCP, and [server] listen = %s has no HOST:PORT",
                      c->server.listen);
}

static void config_check_cors(reading *r)
{
    const config *c = r->config;
    if (c->cors.credentials && strcmp(c->cors.origins, "*") == 0)
        reading_error(r, reading_origin(c, setting_find("cors", "credentials"))->source,
                      "[cors] credentials: with origins = * any site could read what is its visitors' alone; list the origins");
}

static void config_check(reading *r)
{
    const config *c = r->config;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const setting *stack = setting_find("tasks", "stack");

    config_check_addresses(r);
    config_check_cors(r);
    config_check_at_most(r, c->limits.uri <= c->limits.head, setting_find("limits", "uri"),
                  setting_find("limits", "head"));
    config_check_at_most(r, c->threads.running <= c->threads.pool, setting_find("threads", "running"),
                  setting_find("threads", "pool"));
    if (c->tasks.stack % page)
        reading_error(r, reading_origin(c, stack)->source,
                      "[tasks] stack: '%s' is no multiple of the machine's page (%zu)",
                      reading_origin(c, stack)->text, page);
}

int config_load(config *c, const config_sources *sources, FILE *errors)
{
    config fresh = { .origins = mem_alloc((size_t)SETTING_COUNT * sizeof *fresh.origins) };
    reading r = { .config = &fresh, .errors = errors };

    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
        reading_set(&r, s, s->initial, "default");
    config_read_file(&r, sources->file ? sources->file : "config.ini", sources->file != NULL);
    if (sources->environment)
        config_read_environment(&r, sources->environment);
    for (const config_flag *f = sources->flags; f < sources->flags + sources->flag_count; f++)
        reading_set(&r, setting_find(f->section, f->key), f->value, f->name);

    for (int pass = 0; pass < 2; pass++)     /* some follow others, which may stand behind them */
        for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
            if (setting_is_auto(&fresh, s))
                setting_resolve(s, &fresh);
    if (!r.error_count)
        config_check(&r);
    if (r.error_count) {
        config_free(&fresh);
        return UV_EINVAL;
    }
    *c = fresh;
    return 0;
}

void config_free(config *c)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        mem_free(c->origins[i].text);
        mem_free(c->origins[i].source);
    }
    mem_free(c->origins);
    *c = (config){ 0 };
}

static void config_print_setting(const config *c, const setting *s, FILE *out)
{
    enum { COLUMN = 36, WIDE = 100 };
    const config_origin *o = reading_origin(c, s);
    char *shown = s->type == SETTING_URL ? redaction_mask(o->text) : mem_copy(o->text);

    if (strlen(shown) > WIDE)                /* a line of the file has room for little more */
        fprintf(out, "; %s\n%s = %s\n", o->source, s->key, shown);
    else {
        const int width = fprintf(out, "%s = %s", s->key, shown);
        fprintf(out, "%*s ; ", width < COLUMN ? COLUMN - width : 0, "");
        if (setting_is_auto(c, s)) {
            fputc('(', out);
            setting_write(s, c, out);
            fputs(") ", out);
        }
        fprintf(out, "%s\n", o->source);
    }
    mem_free(shown);
}

void config_print(const config *c, FILE *out)
{
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        if (s == SETTINGS || strcmp(s->section, s[-1].section) != 0)
            fprintf(out, "%s[%s]\n", s == SETTINGS ? "" : "\n", s->section);
        config_print_setting(c, s, out);
    }
}
