/* connect.c - how a link comes up without blocking: names, sockets, sign-in; and when to retry.
 *
 * An attempt ends with an answer to an empty question: a pooler signs in whom it has no server for, and
 * a query on such a connection would wait for one of ours to be closed, while others are idle.
 *
 * Host names are looked up on libuv's pool and given to libpq as addresses, each address of a name as
 * one more host: libpq's own order, target_session_attrs and TLS names hold. While libpq connects it may
 * change its socket, even for another of the same number, so each step is watched by a new handle. */
#include "postgres.h"
#include "server/base/memory.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_BACKOFF_MS = 50, LAST_BACKOFF_MS = 500, SPARE_BACKOFF_MS = 10000 };

struct pg_lookup {
    pg_connection         *link;                   /* NULL once the attempt has been given up */
    uv_getaddrinfo_t request;
    bool             pending;                /* the request has begun and not ended */
    int              host;                   /* being looked up */
    int              count;
    struct pg_host   found[PG_MAX_HOSTS];
    char             addresses[PG_MAX_HOSTS][INET6_ADDRSTRLEN];
};

static void look_up(struct pg_lookup *k);

void pg_connect_failed(pg_connection *l, const char *why)
{
    char reason[256];
    pg_reason_to_fail(why, reason, sizeof reason);
    pg_connect_end(l);
    pg_link_close_poll(l);
    PQfinish(l->pg);
    l->pg = NULL;
    const bool again = l->served;
    l->served = false;
    l->failed = !again;
    pg_connect_again(l, !again);
    pg_pool_failed(l->pool, reason);
}

static void rang_attempt(timer *t)
{
    pg_connection *l = (pg_connection *)((char *)t - offsetof(pg_connection, timer));
    l->first_host++;
    l->silences++;
    l->served = false;
    pg_connect_failed(l, "no answer within the connect timeout");
}

static void rang_backoff(timer *t) { pg_connect((pg_connection *)((char *)t - offsetof(pg_connection, timer))); }

/* Those that failed together do not come back together. */
uint64_t pg_backoff(uint64_t *backoff, bool later, bool spare)
{
    const uint64_t most = spare ? SPARE_BACKOFF_MS : LAST_BACKOFF_MS, last = *backoff < most ? *backoff : most;
    const uint64_t now = later ? last : 0, jitter = now ? uv_hrtime() / 1000 % (now / 2) : 0;
    *backoff = !now ? FIRST_BACKOFF_MS : now * 2 < most ? now * 2 : most;
    return now / 2 + jitter;
}

void pg_connect_again(pg_connection *l, bool later)
{
    l->state = PG_WAITING;
    timer_set(&l->timer, pg_backoff(&l->backoff, later, pg_pool_serves(l->pool)), rang_backoff);
}

void pg_connect_soon(pg_connection *l)
{
    if (l->state == PG_WAITING)
        timer_set(&l->timer, 0, rang_backoff);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void step(pg_connection *l, PostgresPollingStatusType wants)
{
    if (wants == PGRES_POLLING_OK) {
        pg_link_prove(l);                    /* the attempt goes on until then */
        return;
    }
    if (wants == PGRES_POLLING_FAILED) {
        pg_connect_failed(l, PQerrorMessage(l->pg));
        return;
    }
    l->poll = mem_alloc(sizeof *l->poll);
    const int err = uv_poll_init(loop_here(), l->poll, PQsocket(l->pg));
    if (err) {
        mem_free(l->poll);
        l->poll = NULL;
        pg_connect_failed(l, uv_strerror(err));
        return;
    }
    pg_handle_opened(l->pool, l->poll);
    uv_poll_start(l->poll, wants == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE, on_ready);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    pg_connection *l = pg_link_of(poll);
    (void)status, (void)events;              /* libpq finds out what is wrong with its socket */
    loop_enter();
    pg_link_close_poll(l);
    step(l, PQconnectPoll(l->pg));
    loop_leave();
}

static void begin(pg_connection *l, struct pg_lookup *k)
{
    l->state = PG_CONNECTING;
    l->alive_at = uv_hrtime();               /* it may break at any moment after, and be up for us later */
    l->pg = pg_target_connect(&l->pool->database->target, k->found, k->count);
    l->lookup = NULL;
    mem_free(k);
    if (!l->pg || PQstatus(l->pg) == CONNECTION_BAD)
        pg_connect_failed(l, l->pg ? PQerrorMessage(l->pg) : "out of memory");
    else
        step(l, PGRES_POLLING_WRITING);
}

static void add(struct pg_lookup *k, const struct pg_host *h, const char *address)
{
    if (k->count < PG_MAX_HOSTS)
        k->found[k->count++] = (struct pg_host){ h->name, address, h->port };
}

static void looked_up(struct pg_lookup *k, int status, struct addrinfo *found)
{
    pg_connection *l = k->link;
    k->pending = false;
    if (!l) {
        uv_freeaddrinfo(found);
        mem_free(k);
        return;
    }
    const pg_target *t = &l->pool->database->target;
    const struct pg_host *h = &t->hosts[(k->host + l->first_host) % t->count];
    for (struct addrinfo *a = found; a && k->count < PG_MAX_HOSTS; a = a->ai_next) {
        char *address = k->addresses[k->count];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, address, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST) == 0)
            add(k, h, address);
    }
    uv_freeaddrinfo(found);
    if (status && t->count == 1) {
        char why[160];
        snprintf(why, sizeof why, "host \"%s\": %s", h->name, uv_strerror(status));
        pg_connect_failed(l, why);
        return;
    }
    k->host++;
    look_up(k);
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    loop_enter();
    looked_up((struct pg_lookup *)((char *)request - offsetof(struct pg_lookup, request)), status, found);
    loop_leave();
}

static bool is_name(const struct pg_host *h)
{
    char buffer[16];
    return *h->name && *h->name != '/' && *h->name != '@' && !*h->address &&
           uv_inet_pton(AF_INET, h->name, buffer) && uv_inet_pton(AF_INET6, h->name, buffer);
}

/* Goes through the hosts up to the next one that is a name, or to the end. */
static void look_up(struct pg_lookup *k)
{
    pg_connection *l = k->link;
    const pg_target *t = &l->pool->database->target;

    for (; k->host < t->count; k->host++) {
        const struct pg_host *h = &t->hosts[(k->host + l->first_host) % t->count];
        if (!is_name(h)) {
            add(k, h, *h->address || *h->name == '/' || *h->name == '@' ? h->address : h->name);
            continue;
        }
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        if (uv_getaddrinfo(loop_here(), &k->request, on_looked_up, h->name, NULL, &hints) == 0) {
            k->pending = true;
            return;
        }
    }
    if (k->count)
        begin(l, k);
    else
        pg_connect_failed(l, "no host of the URL has an address");
}

void pg_connect(pg_connection *l)
{
    l->state = PG_RESOLVING;
    const uint64_t patience = pg_target_patience(&l->pool->database->target, l->pool->options, l->silences);
    if (patience)
        timer_set(&l->timer, patience, rang_attempt);
    l->lookup = mem_alloc(sizeof *l->lookup);
    l->lookup->link = l;
    look_up(l->lookup);
}

/* A lookup cannot always be stopped: then it ends by itself, and the loop goes on for so long. */
void pg_connect_end(pg_connection *l)
{
    struct pg_lookup *k = l->lookup;
    l->lookup = NULL;
    timer_stop(&l->timer);
    if (!k)
        return;
    k->link = NULL;
    if (k->pending)
        uv_cancel((uv_req_t *)&k->request);
    else
        mem_free(k);
}
