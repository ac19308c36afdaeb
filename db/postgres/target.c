/* target.c - where to connect to, and how: the URL over the service file over PG* over libpq's defaults.
 *
 * It is worked out once, before any loop runs, and handed to libpq complete but for the hosts, so that
 * libpq itself never looks a name up. */
#include "target.h"
#include "error.h"
#include "server/base/blocking_wait.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/config/redaction.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static const char *option_value(const PQconninfoOption *all, const char *keyword)
{
    for (; all->keyword; all++)
        if (strcmp(all->keyword, keyword) == 0)
            return all->val && *all->val ? all->val : NULL;
    return NULL;
}

/* The n-th of a comma-separated list; of a list of one, that one; "" where there is none. */
static const char *list_item(char **memory, const char *list, int n)
{
    if (!list)
        return "";
    if (strchr(list, ','))
        for (; n > 0 && list; n--)
            if ((list = strchr(list, ',')))
                list++;
    if (!list)
        return "";
    const size_t length = strcspn(list, ",");
    char *copy = *memory;
    memcpy(copy, list, length);
    *memory += length + 1;
    return copy;
}

static int list_count(const char *list)
{
    int n = 1;
    for (; list && (list = strchr(list, ',')); list++)
        n++;
    return n;
}

static const char *copy_string(char **memory, const char *s)
{
    char *copy = strcpy(*memory, s);
    *memory += strlen(s) + 1;
    return copy;
}

static void add_setting(pg_target *t, int *n, const char *keyword, const char *setting)
{
    t->keywords[*n] = keyword;
    t->values[(*n)++] = setting;
}

/* A server that has gone without a word, or the way to it: what is sent is not acknowledged, and probes of an
 * idle connection are not answered. The kernel says so after this, sooner where another host is at hand. */
static void add_timeouts(pg_target *t, int *n, const PQconninfoOption *url)
{
    const struct { const char *keyword, *setting; } OURS[] = {
        { "tcp_user_timeout", t->count > 1 ? "1000" : "3000" },              /* milliseconds; the others are seconds */
        { "keepalives_idle", "1" }, { "keepalives_interval", "1" }, { "keepalives_count", "3" },
    };
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (!option_value(url, OURS[i].keyword))
            add_setting(t, n, mem_copy(OURS[i].keyword), OURS[i].setting);
}

/* libpq quotes what it cannot parse: the URL as a whole, or the word of a password that it takes for a keyword. */
static void explain_refusal(const char *url, char *message, char *why, size_t size)
{
    char *quoted = message ? strchr(message, '"') : NULL, reason[256];
    const bool tells = quoted && redaction_needed(url) && (!strstr(message, "URI query parameter") || strstr(message, url));
    if (tells)
        *quoted = '\0';
    pg_reason_copy(message ? message : "out of memory", reason, sizeof reason);
    snprintf(why, size, "it cannot be parsed: %s%s", reason, tells ? " ..." : "");
    PQfreemem(message);
}

/* The URL over the service file, PG* and libpq's defaults; NULL with why if it cannot be parsed. */
static PQconninfoOption *read_url(const char *url, char *why, size_t size)
{
    char *message = NULL;
    PQconninfoOption *all = PQconninfoParse(url, &message);
    if (!all) {
        explain_refusal(url, message, why, size);
        return NULL;
    }
    const char *service = option_value(all, "service");
    if (service)
        setenv("PGSERVICE", service, 1);     /* makes PQconndefaults read it */
    PQconninfoOption *defaults = PQconndefaults();
    if (!defaults) {
        PQconninfoFree(all);
        explain_refusal(url, NULL, why, size);
        return NULL;
    }
    for (PQconninfoOption *o = all, *d = defaults; o->keyword; o++, d++)
        if (!o->val && d->val)
            o->val = strdup(d->val);
    PQconninfoFree(defaults);
    return all;
}

static bool is_ours(const char *keyword)     /* set by us, or host by host */
{
    static const char *const OURS[] = { "service", "host", "hostaddr", "port", "options", "client_encoding" };
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (strcmp(keyword, OURS[i]) == 0)
            return true;
    return false;
}

/* The server's own clock stands behind ours. And it looks whether we are still there: else half of a transaction, whose end was
 * lost with the network, would hold its locks for the two hours that kernels wait. A pooler hands its connections around, and
 * refuses options. */
static void write_server_bounds(const pg_target *t, char *to, size_t size)
{
    const int length = snprintf(to, size, "-c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 ");
    if (t->options->timeout_ms)
        snprintf(to + length, size - (size_t)length, "-c statement_timeout=%llu ",
                 (unsigned long long)t->options->timeout_ms + 1000);
}

/* All but the hosts. */
static void copy_settings(pg_target *t, char **memory, const PQconninfoOption *url)
{
    int n = 0;
    char bounds[160] = "";
    if (t->options->prepare)
        write_server_bounds(t, bounds, sizeof bounds);
    for (const PQconninfoOption *o = url; o->keyword && n < PG_MAX_PARAMETERS - 8; o++)
        if (o->val && *o->val && !is_ours(o->keyword))
            add_setting(t, &n, mem_copy(o->keyword), copy_string(memory, o->val));
    const char *more = option_value(url, "options");
    if (*bounds || more) {                   /* theirs come last, and so win */
        t->values[n] = *memory;
        *memory += sprintf(*memory, "%s%s", bounds, more ? more : "") + 1;
        t->keywords[n++] = mem_copy("options");
    }
    add_setting(t, &n, mem_copy("client_encoding"), "UTF8");
    add_setting(t, &n, mem_copy("fallback_application_name"), "tenk");
    add_timeouts(t, &n, url);
}

static int copy_hosts(pg_target *t, char **memory, const PQconninfoOption *url, char *why, size_t size)
{
    const char *hosts = option_value(url, "host"), *addresses = option_value(url, "hostaddr"),
               *ports = option_value(url, "port");
    const int whole = t->count;
    t->count = 0;
    if ((hosts && list_count(hosts) != whole) || (addresses && list_count(addresses) != whole) ||
        (ports && list_count(ports) != 1 && list_count(ports) != whole)) {
        snprintf(why, size, "there are %d hosts, %d host addresses and %d ports", hosts ? list_count(hosts) : 0,
                 addresses ? list_count(addresses) : 0, ports ? list_count(ports) : 0);
        return UV_EINVAL;
    }
    if (whole > PG_MAX_HOSTS) {
        snprintf(why, size, "more than %d hosts", PG_MAX_HOSTS);
        return UV_EINVAL;
    }
    for (; t->count < whole; t->count++) {
        const int i = t->count;
        t->hosts[i] = (pg_host){ list_item(memory, hosts, i), list_item(memory, addresses, i),
                                 list_item(memory, ports, i) };
    }
    return 0;
}

static char *describe_target(const PQconninfoOption *url)
{
    const char *host = option_value(url, "host"), *address = option_value(url, "hostaddr"),
               *port = option_value(url, "port"), *user = option_value(url, "user"), *name = option_value(url, "dbname");
    const char *where = host ? host : address ? address : "", *who = user ? user : "", *at = port ? port : "",
               *what = name ? name : who;
    const size_t room = strlen(where) + strlen(who) + strlen(at) + strlen(what) + sizeof "postgresql://@:/";
    char *description = mem_alloc(room);
    snprintf(description, room, "postgresql://%s@%s:%s/%s", who, where, at, what);
    return description;
}

int pg_target_init(pg_target *t, const database_options *options, char *why, size_t size)
{
    *t = (pg_target){ .options = options, .prepare = options->prepare };
    const char *flaw = redaction_flaw(options->url);
    if (flaw) {
        snprintf(why, size, "%s", flaw);
        return UV_EINVAL;
    }
    PQconninfoOption *url = read_url(options->url, why, size);
    if (!url)
        return UV_EINVAL;
    size_t length = 1024;
    for (const PQconninfoOption *o = url; o->keyword; o++)
        length += 2 * (o->val ? strlen(o->val) : 0) + 32;
    char *memory = t->memory = mem_alloc(length);
    const int hosts = list_count(option_value(url, "host")), addresses = list_count(option_value(url, "hostaddr"));
    t->count = hosts > addresses ? hosts : addresses;
    copy_settings(t, &memory, url);
    const int err = copy_hosts(t, &memory, url, why, size);
    t->description = describe_target(url);
    PQconninfoFree(url);
    if (err)
        pg_target_done(t);
    return err;
}

void pg_target_done(pg_target *t)
{
    for (int i = 0; t->keywords[i]; i++)
        mem_free((char *)t->keywords[i]);
    mem_free(t->memory);
    mem_free(t->description);
}

static void append_item(char *list, size_t size, const char *item, bool first)
{
    const size_t length = strlen(list);
    snprintf(list + length, size - length, "%s%s", first ? "" : ",", item);
}

PGconn *pg_target_connect(const pg_target *t, const pg_host hosts[], int n)
{
    const char *keywords[PG_MAX_PARAMETERS + 4], *values[PG_MAX_PARAMETERS + 4];
    char names[4096] = "", addresses[PG_MAX_HOSTS * 64] = "", ports[PG_MAX_HOSTS * 8] = "";
    int end = 0;

    for (int i = 0; i < n; i++) {
        append_item(names, sizeof names, hosts[i].name, i == 0);
        append_item(addresses, sizeof addresses, hosts[i].address, i == 0);
        append_item(ports, sizeof ports, hosts[i].port, i == 0);
    }
    for (; t->keywords[end]; end++) {
        keywords[end] = t->keywords[end];
        values[end] = t->values[end];
    }
    keywords[end] = "host";
    values[end++] = names;
    keywords[end] = "hostaddr";
    values[end++] = addresses;
    keywords[end] = "port";
    values[end++] = ports;
    keywords[end] = NULL;
    values[end] = NULL;
    return PQconnectStartParams(keywords, values, 0);
}

/* What libpq refuses before it connects: it is let go as far as the address, which is one that cannot be. What is
 * wrong before that it says, and else that this address is none. */
static const char NOWHERE[] = "no-address-but-a-look-at-the-settings";

static bool is_number(const char *s)
{
    char *end;
    strtol(s, &end, 10);
    return *s && !*end;
}

/* These it reads only when it has connected. */
static int check_numbers(const pg_target *t, char *why, size_t size)
{
    static const char *const NUMBERS[] = { "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
                                           "keepalives_count", "tcp_user_timeout" };
    for (int i = 0; t->keywords[i]; i++)
        for (size_t k = 0; k < sizeof NUMBERS / sizeof *NUMBERS; k++)
            if (strcmp(t->keywords[i], NUMBERS[k]) == 0 && !is_number(t->values[i])) {
                snprintf(why, size, "%s is '%s', and no whole number", NUMBERS[k], t->values[i]);
                return UV_EINVAL;
            }
    return 0;
}

/* Takes pg. */
static int check_refusal(PGconn *pg, char *why, size_t size)
{
    const bool good = !pg || strstr(PQerrorMessage(pg), NOWHERE);
    if (!good)
        pg_reason_copy(PQerrorMessage(pg), why, size);
    PQfinish(pg);
    return good ? 0 : UV_EINVAL;
}

/* The target does without one that is not there. */
static int check_service(char *why, size_t size)
{
    const char *service = getenv("PGSERVICE");
    const char *const keywords[] = { "service", "host", "hostaddr", "port", NULL };
    const char *const values[] = { service, "x", NOWHERE, "5432", NULL };
    return service ? check_refusal(PQconnectStartParams(keywords, values, 0), why, size) : 0;
}

int pg_target_check(const pg_target *t, char *why, size_t size)
{
    int err = check_service(why, size);
    if (!err)
        err = check_numbers(t, why, size);
    for (int i = 0; i < t->count && !err; i++) {
        const pg_host nowhere = { t->hosts[i].name, NOWHERE, t->hosts[i].port };
        err = check_refusal(pg_target_connect(t, &nowhere, 1), why, size);
    }
    return err;
}

uint64_t pg_target_connect_timeout(const pg_target *t, int silences)
{
    enum { FIRST_MS = 1000, LAST = 5 };
    const uint64_t whole = t->options->connect_timeout_ms;
    const uint64_t part = (uint64_t)FIRST_MS << (silences < LAST ? silences : LAST);
    return t->count < 2 || (whole && whole < part) ? whole : part;
}

/* Those that failed together do not come back together. */
uint64_t pg_backoff(uint64_t *backoff, bool later, bool spare)
{
    enum { FIRST_MS = 50, LAST_MS = 500, LAST_SPARE_MS = 10000 };
    const uint64_t most = spare ? LAST_SPARE_MS : LAST_MS, last = *backoff < most ? *backoff : most;
    const uint64_t now = later ? last : 0, jitter = now ? uv_hrtime() / 1000 % (now / 2) : 0;
    *backoff = !now ? FIRST_MS : now * 2 < most ? now * 2 : most;
    return now / 2 + jitter;
}

void pg_target_pool_is_down(pg_target *t, bool *down, bool is)
{
    if (*down != is)
        atomic_fetch_add(&t->pools_down, is ? 1 : -1);
    *down = is;
}

void pg_target_forgets_prepared(pg_target *t)
{
    if (atomic_exchange(&t->prepare, false))
        log_warning("postgres: what was prepared is not there any more, as behind a pooler: it goes on without. "
                    "[database] prepare = off would have said so from the start");
}

char *pg_target_comment(const pg_target *t, arena *a)
{
    const database_options *const o = t->options;
    return o->comment && !atomic_load_explicit(&t->prepare, memory_order_relaxed) ? o->comment(a) : NULL;
}

/* For a blocking thread: libpq looks names up by itself, but it is given no longer than timeout_ms. */
PGconn *pg_target_connect_blocking(const pg_target *t, int first_host, uint64_t timeout_ms, const atomic_bool *stop)
{
    pg_host hosts[PG_MAX_HOSTS];
    for (int i = 0; i < t->count; i++)
        hosts[i] = t->hosts[(i + first_host) % t->count];
    PGconn *pg = pg_target_connect(t, hosts, t->count);
    const uint64_t deadline = uv_hrtime() / 1000000 + timeout_ms;
    PostgresPollingStatusType wants = PGRES_POLLING_WRITING;

    while (pg && PQstatus(pg) != CONNECTION_BAD && wants != PGRES_POLLING_OK &&
           wants != PGRES_POLLING_FAILED && !(stop && atomic_load(stop))) {
        const int64_t left = timeout_ms ? (int64_t)(deadline - uv_hrtime() / 1000000) : BLOCKING_LOOK_MS;
        struct pollfd socket = { PQsocket(pg), wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0 };
        if (left <= 0)
            break;
        poll(&socket, 1, left < BLOCKING_LOOK_MS ? (int)left : BLOCKING_LOOK_MS);
        if (socket.revents || socket.fd < 0)
            wants = PQconnectPoll(pg);
    }
    return pg;
}
