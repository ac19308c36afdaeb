/* reload.c - see reload.h. */
#include "reload.h"
#include "configure.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/config_reload.h"
#include "server/config/descriptor_budget.h"
#include "server/service/service_manager.h"

#include <stdlib.h>
#include <string.h>

typedef struct loaded { list_node node; config config; } loaded;

struct reload {
    const config         *now;
    const config_sources *sources;
    server               *server;
    second_server        *second;
    list                  loaded;            /* all but the first, which is main's */
};

reload *reload_new(const config *c, const config_sources *sources, server *s, second_server *second)
{
    reload *r = mem_alloc(sizeof *r);
    *r = (reload){ .now = c, .sources = sources, .server = s, .second = second };
    return r;
}

static void on_changed(void *arg, const setting *s, const char *before, const char *now)
{
    int *const changed = arg;
    if (s->live) {
        log_info("configuration: [%s] %s is %s, was %s", s->section, s->key, now, before);
        ++*changed;
    } else {
        log_warning("configuration: [%s] %s stays %s: to make it %s takes a restart", s->section, s->key, before, now);
    }
}

/* What is wrong with the sources, a line for each. */
static void log_lines(char *text)
{
    char *rest;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        log_error("configuration: %s", line);
}

static int load(const reload *r, config *c, observers *watching, int *changed)
{
    char *text = NULL, why[512];
    size_t size = 0;
    FILE *errors = open_memstream(&text, &size);
    if (!errors)
        return UV_ENOMEM;
    int err = config_reload(c, r->now, r->sources, errors, on_changed, changed);
    fclose(errors);
    if (err)
        log_lines(text);
    free(text);
    if (err)
        return err;
    if ((err = descriptor_budget_check(c, why, sizeof why)) || (err = observers_prepare(watching, c, why, sizeof why))) {
        log_error("configuration: %s", why);
        config_free(c);
    }
    return err;
}

void reload_run(void *arg)
{
    reload *r = arg;
    int changed = 0;
    observers watching;
    loaded *const next = mem_alloc(sizeof *next);
    service_notify_reloading();
    const int err = load(r, &next->config, &watching, &changed);
    if (!err)
        observers_use(&watching);
    log_reopen();                            /* whoever has renamed the files tells so in the same way; a new one is not theirs */
    if (err) {
        mem_free(next);
        log_error("the configuration was read again, and is refused; the one before holds");
        service_notify("READY=1\nSTATUS=Serving by the configuration before: what was read again is wrong, see the log");
        return;
    }
    list_push(&r->loaded, &next->node);
    r->now = &next->config;
    second_server_reconfigure(r->second, r->now);
    server_reconfigure(r->server, r->now);
    log_info("the configuration was read again, and holds: %d setting%s changed", changed, changed == 1 ? " has" : "s have");
    configure_live(r->now);                  /* last: it may be that no more than errors are to be logged */
    service_notify("READY=1\nSTATUS=Serving; the configuration was read again");
}

uint64_t reload_drain_ms(void *arg)
{
    const config *const c = ((reload *)arg)->now;
    return c->timeouts.drain;
}

void reload_free(reload *r)
{
    while (r->loaded.first) {
        loaded *const one = container_of(r->loaded.first, loaded, node);
        list_remove(&one->node);
        config_free(&one->config);
        mem_free(one);
    }
    mem_free(r);
}
