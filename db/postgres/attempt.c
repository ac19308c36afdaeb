/* attempt.c - see attempt.h.
 *
 * While libpq connects it may change its socket, even for another of the same number, so each step is
 * watched by a new handle. */
#include "attempt.h"
#include "server/base/list.h"
#include "server/base/memory.h"

#include <netdb.h>
#include <stdio.h>

struct pg_attempt {
    pg_pool         *pool;
    pg_attempt_end  *on_end;
    struct pg_connection *connection;        /* NULL once it has been abandoned */
    PGconn          *pg;                     /* NULL while names are looked up */
    pg_handle       *poll;
    uint64_t         since;
    int              first_host;

    uv_getaddrinfo_t lookup;
    bool             looking_up;             /* the request has begun and not ended */
    int              host;                   /* being looked up, from first_host on */
    int              count;
    pg_host          found[PG_MAX_HOSTS];
    char             addresses[PG_MAX_HOSTS][INET6_ADDRSTRLEN];
};

static void attempt_failed(pg_attempt *a, const char *why)
{
    pg_handle_close(&a->poll);
    a->on_end(a->connection, NULL, 0, why);
    PQfinish(a->pg);                         /* why may be its own */
    mem_free(a);
}

static void on_attempt_ready(uv_poll_t *poll, int status, int events);

static void attempt_step(pg_attempt *a, PostgresPollingStatusType wants)
{
    if (wants == PGRES_POLLING_OK) {
        a->on_end(a->connection, a->pg, a->since, NULL);
        mem_free(a);
        return;
    }
    if (wants == PGRES_POLLING_FAILED) {
        attempt_failed(a, PQerrorMessage(a->pg));
        return;
    }
    const int err = pg_handle_poll(&a->poll, a->pool, PQsocket(a->pg),
                                   wants == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE, on_attempt_ready, a);
    if (err)
        attempt_failed(a, uv_strerror(err));
}

static void on_attempt_ready(uv_poll_t *poll, int status, int events)
{
    pg_attempt *a = poll->data;
    (void)status, (void)events;              /* libpq finds out what is wrong with its socket */
    loop_enter();
    pg_handle_close(&a->poll);
    attempt_step(a, PQconnectPoll(a->pg));
    loop_leave();
}

static void attempt_connect(pg_attempt *a)
{
    a->since = uv_hrtime();
    a->pg = pg_target_connect(a->pool->target, a->found, a->count);
    if (!a->pg || PQstatus(a->pg) == CONNECTION_BAD)
        attempt_failed(a, a->pg ? PQerrorMessage(a->pg) : "out of memory");
    else
        attempt_step(a, PGRES_POLLING_WRITING);
}

static void add_host(pg_attempt *a, const pg_host *h, const char *address)
{
    if (a->count < PG_MAX_HOSTS)
        a->found[a->count++] = (pg_host){ h->name, address, h->port };
}

static const pg_host *current_host(const pg_attempt *a)
{
    const pg_target *t = a->pool->target;
    return &t->hosts[(a->host + a->first_host) % t->count];
}

static void look_up_hosts(pg_attempt *a);

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    pg_attempt *a = container_of(lookup, pg_attempt, lookup);
    loop_enter();
    a->looking_up = false;
    if (!a->connection)
        mem_free(a);
    else {
        const pg_host *h = current_host(a);
        for (struct addrinfo *one = found; one && a->count < PG_MAX_HOSTS; one = one->ai_next) {
            char *address = a->addresses[a->count];
            if (getnameinfo(one->ai_addr, one->ai_addrlen, address, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST) == 0)
                add_host(a, h, address);
        }
        if (status && a->pool->target->count == 1) {
            char why[160];
            snprintf(why, sizeof why, "host \"%s\": %s", h->name, uv_strerror(status));
            attempt_failed(a, why);
        } else {
            a->host++;
            look_up_hosts(a);
        }
    }
    uv_freeaddrinfo(found);
    loop_leave();
}

static bool is_name(const pg_host *h)
{
    char buffer[16];
    return *h->name && *h->name != '/' && *h->name != '@' && !*h->address &&
           uv_inet_pton(AF_INET, h->name, buffer) && uv_inet_pton(AF_INET6, h->name, buffer);
}

/* Goes through the hosts up to the next one that is a name, or to the end. */
static void look_up_hosts(pg_attempt *a)
{
    for (; a->host < a->pool->target->count; a->host++) {
        const pg_host *h = current_host(a);
        if (!is_name(h)) {
            add_host(a, h, *h->address || *h->name == '/' || *h->name == '@' ? h->address : h->name);
            continue;
        }
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        if (uv_getaddrinfo(loop_here(), &a->lookup, on_looked_up, h->name, NULL, &hints) == 0) {
            a->looking_up = true;
            return;
        }
    }
    if (a->count)
        attempt_connect(a);
    else
        attempt_failed(a, "no host of the URL has an address");
}

pg_attempt *pg_attempt_new(pg_pool *p, pg_attempt_end *on_end, struct pg_connection *c)
{
    pg_attempt *a = mem_alloc(sizeof *a);
    a->pool = p;
    a->on_end = on_end;
    a->connection = c;
    return a;
}

void pg_attempt_start(pg_attempt *a, int first_host)
{
    a->first_host = first_host;
    look_up_hosts(a);
}

/* A lookup cannot always be stopped: then it ends by itself, and the loop goes on for so long. */
void pg_attempt_abandon(pg_attempt *a)
{
    pg_handle_close(&a->poll);
    PQfinish(a->pg);
    a->connection = NULL;
    if (a->looking_up)
        uv_cancel((uv_req_t *)&a->lookup);
    else
        mem_free(a);
}
