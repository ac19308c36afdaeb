/* second_server.c - see second_server.h. */
#include "second_server.h"
#include "server/base/list.h"
#include "server/base/machine.h"
#include "server/base/memory.h"
#include "server/executor/thread_pool.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

typedef struct second_config { list_node node; config config; } second_config;

struct second_server {
    server          *first;
    const site      *site;
    mode             mode;
    pthread_mutex_t  lock;                   /* of opening, and of what follows */
    list             configs;                /* the latest first: threads may yet read those before it */
    bool             stopping;               /* the first does */
    pthread_t        thread;
    uv_sem_t         started;                /* or it could not: */
    bool             serves;
    int              outcome;                /* of server_run */
    server *_Atomic  server;                 /* NULL: it is not open; then for ever this */
};

static config *second_config_of(const second_server *s)
{
    return &container_of(s->configs.first, second_config, node)->config;
}

/* The first one's, but for mode and address. */
static void second_add_config(second_server *s, const config *c)
{
    second_config *const own = mem_alloc(sizeof *own);
    own->config = *c;
    own->config.server.mode = s->mode;
    if (s->configs.first) {
        own->config.server.listen = second_config_of(s)->server.listen;
        own->config.admin.listen = second_config_of(s)->admin.listen;
    }
    list_push(&s->configs, &own->node);
}

static void second_on_first_stopping(void *arg)
{
    second_server *s = arg;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    if (atomic_load(&s->server))
        server_tell_to_stop(atomic_load(&s->server));
    pthread_mutex_unlock(&s->lock);
}

second_server *second_server_new(server *first, const config *c, const site *site)
{
    second_server *s = mem_alloc(sizeof *s);
    s->first = first;
    s->site = site;
    s->mode = c->server.mode == MODE_ASYNC ? MODE_THREADS : MODE_ASYNC;
    second_add_config(s, c);
    pthread_mutex_init(&s->lock, NULL);
    uv_sem_init(&s->started, 0);
    server_on_stopping(first, second_on_first_stopping, s);
    return s;
}

mode second_server_mode(const second_server *s) { return s->mode; }

const char *second_server_address(const second_server *s)
{
    const server *open = atomic_load(&s->server);
    return open ? server_own_address(open) : NULL;
}

const char *second_server_first_address(const second_server *s) { return server_own_address(s->first); }

bool second_server_is_stopping(second_server *s)
{
    pthread_mutex_lock(&s->lock);
    const bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

void second_server_reconfigure(second_server *s, const config *c)
{
    pthread_mutex_lock(&s->lock);
    second_add_config(s, c);
    if (atomic_load(&s->server))
        server_reconfigure(atomic_load(&s->server), second_config_of(s));
    pthread_mutex_unlock(&s->lock);
}

static void second_on_started(void *arg)
{
    second_server *s = arg;
    s->serves = true;
    uv_sem_post(&s->started);
}

static void *second_run(void *arg)
{
    second_server *s = arg;
    s->outcome = server_run(atomic_load(&s->server), second_on_started, s);
    if (!s->serves)
        uv_sem_post(&s->started);
    return NULL;
}

/* Is there room for what it takes not only to start, but to serve? */
static int second_has_room(const config *c, char *why, size_t size)
{
    enum { EACH = 8, STACK = 8 * 1024 * 1024, TOUCHED = 256 * 1024, MOST = 1024 };
    const int loops = c->server.mode == MODE_ASYNC ? c->server.workers : 1;
    const int pool = c->server.mode == MODE_ASYNC ? c->threads.pool : 0;
    int fds[MOST], count = 0, wanted = EACH + EACH * loops < MOST ? EACH + EACH * loops : MOST;
    while (count < wanted && (fds[count] = dup(STDERR_FILENO)) >= 0)
        count++;
    const bool enough = count == wanted;
    while (count > 0)
        close(fds[--count]);
    if (!enough) {
        snprintf(why, size, "the limit of open files, %d, leaves none for it", machine_open_files());
        return UV_EMFILE;
    }
    if (machine_threads(STACK, TOUCHED) < loops + pool + 1) {
        snprintf(why, size, "the machine allows no more threads");
        return UV_EAGAIN;
    }
    return 0;
}

/* Those signals are the first one's: every thread that is started meanwhile inherits that, and so do those that it starts.
 * What asks a loop where it is has to reach it. */
static int second_start_threads(second_server *s)
{
    static const int OTHERS[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
    sigset_t others, before;
    sigemptyset(&others);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        sigaddset(&others, OTHERS[i]);
    pthread_sigmask(SIG_BLOCK, &others, &before);
    int err = s->mode == MODE_ASYNC ? thread_pool_start() : 0;
    if (!err)
        err = -pthread_create(&s->thread, NULL, second_run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static int second_open(second_server *s, const char *at, char *why, size_t size)
{
    static char anywhere[] = "127.0.0.1:0", nowhere[] = CONFIG_NONE;
    config *const c = second_config_of(s);
    server *opened;
    int err = second_has_room(c, why, size);
    if (err)
        return err;
    c->server.listen = at ? (char *)at : anywhere;
    c->admin.listen = nowhere;               /* the first has it */
    if ((err = server_open(&opened, c, why, size)))
        return err;
    server_set_site(opened, s->site);
    err = server_be_told(opened);
    if (!err) {
        atomic_store(&s->server, opened);
        err = second_start_threads(s);
    }
    if (!err) {
        uv_sem_wait(&s->started);
        if (s->serves)
            return 0;
        pthread_join(s->thread, NULL);
        err = s->outcome;
        s->outcome = 0;
    }
    atomic_store(&s->server, NULL);
    server_close(opened);
    snprintf(why, size, "cannot start it: %s", uv_strerror(err));
    return err;
}

int second_server_open(second_server *s, const char *at, char *why, size_t size)
{
    int err = 0;
    pthread_mutex_lock(&s->lock);
    if (s->stopping) {
        snprintf(why, size, "the server stops");
        err = UV_ESHUTDOWN;
    } else if (!atomic_load(&s->server)) {
        err = second_open(s, at, why, size);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

int second_server_free(second_server *s)
{
    server *open = atomic_load(&s->server);
    if (open) {
        pthread_join(s->thread, NULL);
        server_close(open);
    }
    const int outcome = s->outcome;
    pthread_mutex_destroy(&s->lock);
    uv_sem_destroy(&s->started);
    while (s->configs.first) {
        second_config *const own = container_of(s->configs.first, second_config, node);
        list_remove(&own->node);
        mem_free(own);
    }
    mem_free(s);
    return outcome;
}
