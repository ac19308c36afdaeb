/* load.c - see load.h. */
#include "load.h"

#include "client.h"
#include "server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_VISITORS = 32, MOST_POSTS = 200000 };

typedef struct visitor {
    load      *of;
    tally     *tally;
    enum { READER, WRITER, WATCHER } kind;
    int        number, turn;
    pthread_t  thread;
} visitor;

struct load {
    atomic_bool     stop;
    int             count, run;
    visitor         visitors[MOST_VISITORS];
    tally           readers, writers, watchers;
    atomic_int      held_up;
    pthread_t       sleeper;
    pthread_mutex_t lock;                    /* of what follows */
    int             posts;
    struct { int visitor, turn; } post[MOST_POSTS];
};

static void make_request(const visitor *v, char *request, size_t size)
{
    static const char *const stages[] = { "", "/promises", "/callbacks", "/sequential" };
    static const char *const quiet[] = { "/healthz", "/json", "/static/hello.txt", "/sleep?ms=1" };
    char body[128];
    switch (v->kind) {
    case READER:
        snprintf(request, size, "GET /users/%d%s HTTP/1.1\r\nHost: t\r\n\r\n", 1 + v->turn % 100,
                 stages[v->turn % 4]);
        break;
    case WRITER:
        snprintf(body, sizeof body, "{\"title\":\"load %d-%d-%d\",\"body\":\"b\"}", v->of->run,
                 v->number, v->turn);
        snprintf(request, size,
                 "POST /users/%d/posts HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 1000 + v->number, strlen(body), body);
        break;
    case WATCHER:
        snprintf(request, size, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", quiet[v->turn % 4]);
        break;
    }
}

static void note(visitor *v, const answer *a, int ms)
{
    tally *t = v->tally;
    int slowest = t->slowest;
    while (ms > slowest && !atomic_compare_exchange_weak(&t->slowest, &slowest, ms))
        ;
    if (a->status == 0) {
        t->broken++;
    } else if (a->status == 503) {
        t->unavailable++;
        t->without_retry_after += !header(a, "Retry-After");
    } else if (a->status == 502 && v->kind == WRITER && strstr(a->body, "\"uncertain\":true")) {
        t->uncertain++;
    } else if (a->status == 504) {
        t->late++;
    } else if (a->status >= 400) {
        if (t->other++ == 0)
            snprintf(t->first_other, sizeof t->first_other, "%d, %.200s", a->status, a->body);
    } else {
        t->good++;
    }
    if (v->kind == WRITER && a->status == 201) {
        pthread_mutex_lock(&v->of->lock);
        if (v->of->posts < MOST_POSTS) {
            v->of->post[v->of->posts].visitor = v->number;
            v->of->post[v->of->posts++].turn = v->turn;
        }
        pthread_mutex_unlock(&v->of->lock);
    }
}

static void *visit(void *arg)
{
    visitor *v = arg;
    client *c = NULL;
    for (; !v->of->stop; v->turn++) {
        char request[512];
        if (!c && !(c = client_try(here.port))) {
            pause_ms(1);
            continue;
        }
        make_request(v, request, sizeof request);
        const double before = now_s();
        client_say(c, request);
        const answer a = client_answer(c);
        note(v, &a, (int)((now_s() - before) * 1000));
        if (a.status == 0 || header_is(&a, "Connection", "close")) {
            client_free(c);
            c = NULL;
        }
        if (a.status >= 500)
            pause_ms(1); /* a refusal costs nothing: do not ask for ten thousand of them */
    }
    client_free(c);
    return NULL;
}

/* How long a machine with other work keeps one waiting that wants to run. */
static void *sleep_often(void *arg)
{
    load *l = arg;
    while (!l->stop) {
        const double before = now_s();
        pause_ms(1);
        const int late = (int)((now_s() - before) * 1000);
        if (late > l->held_up)
            l->held_up = late;
    }
    return NULL;
}

load *load_start(int readers, int writers, int watchers)
{
    static int runs;
    load *l = calloc(1, sizeof *l);
    l->run = (int)getpid() * 100 + runs++;
    pthread_mutex_init(&l->lock, NULL);
    for (int i = 0; i < readers + writers + watchers; i++) {
        visitor *v = &l->visitors[l->count++];
        v->of = l;
        v->number = i;
        v->kind = i < readers ? READER : i < readers + writers ? WRITER : WATCHER;
        v->tally = v->kind == READER ? &l->readers : v->kind == WRITER ? &l->writers : &l->watchers;
        pthread_create(&v->thread, NULL, visit, v);
    }
    pthread_create(&l->sleeper, NULL, sleep_often, l);
    return l;
}

int    load_held_up(load *l)  { return l->held_up; }
tally *load_readers(load *l) { return &l->readers; }
tally *load_writers(load *l) { return &l->writers; }
tally *load_watchers(load *l) { return &l->watchers; }

void load_stop(load *l)
{
    l->stop = true;
    for (int i = 0; i < l->count; i++)
        pthread_join(l->visitors[i].thread, NULL);
    if (l->count)
        pthread_join(l->sleeper, NULL);
    l->count = 0;
}

char *load_acknowledged(load *l, int *count)
{
    char *list = malloc((size_t)l->posts * 64 + 64), *at = list;
    *at = '\0';
    for (int i = 0; i < l->posts; i++)
        at += sprintf(at, "%s'load %d-%d-%d'", i ? "," : "", l->run, l->post[i].visitor,
                      l->post[i].turn);
    *count = l->posts;
    return list;
}

void load_free(load *l)
{
    pthread_mutex_destroy(&l->lock);
    free(l);
}
