/* server.c - a thread for each connection; see server_internal.h.
 *
 * The first thread accepts, and waits for signals; every other one serves one client. When told to
 * stop, the first thread ends what the others wait for, by shutting their sockets down:
 *
 *     signal -> no new clients -> each is answered once more, in the time for that, bodies that stream in
 *               half of it -> the idle are let go, the late are cut off */
#include "server/http/server.h"
#include "server/http/server_internal.h"
#include "server/http/client_socket.h"
#include "server/http/stop_spread.h"
#include "server/http/client/client.h"
#include "server/http/websocket/websocket_internal.h"
#include "connection.h"
#include "server/diagnose/crash_handler.h"
#include "server/diagnose/unawaited_log.h"
#include "server/topic/topic.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/async/task.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "server/base/reserve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    ACCEPTS = 64,                            /* clients, before a look at the signals */
    MANY_ENDED = 256,                        /* threads that have ended: what they have freed is worth a look */
};

/* All threads that serve a client. */
typedef struct client_threads {
    thread_shared      shared;
    const site        *site;
    thread_admission   admissions[NEEDS];
    int                listener, signals, emptied, many_ended;       /* descriptors; emptied: the last thread has ended */
    pthread_attr_t     attributes;           /* of the threads */
    pthread_mutex_t    lock;                 /* of what follows */
    list               connections;          /* those whose threads go on */
    recorder          *recorder;             /* of all threads; NULL: none */
    int                count;                /* of threads: those that end are the last to be counted down */
    int                ended;                /* since what they have freed went to the kernel */
} client_threads;

static const client_threads *_Atomic serving;        /* for who looks from outside: NULL while none does */

static const layout_entry THREADS_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("threads", &serving),
    LAYOUT_FIELD("threads.connections", client_threads, connections),
    LAYOUT_FIELD("threads.count", client_threads, count),
    LAYOUT_SIZE("thread", thread_connection),
    LAYOUT_FIELD("thread.node", thread_connection, node),
    LAYOUT_FIELD("thread.idle", thread_connection, idle),
    LAYOUT_FIELD("thread.answering", thread_connection, answering),
    LAYOUT_FIELD("thread.since", thread_connection, since),
    LAYOUT_FIELD("thread.thread", thread_connection, thread),
};

/* One thread. */

static void threads_add(client_threads *all, thread_connection *c)
{
    pthread_mutex_lock(&all->lock);
    list_push(&all->connections, &c->node);
    all->count++;
    pthread_mutex_unlock(&all->lock);
}

/* From here on no other thread touches c. */
static void threads_remove(client_threads *all, thread_connection *c)
{
    pthread_mutex_lock(&all->lock);
    list_remove(&c->node);
    pthread_mutex_unlock(&all->lock);
}

static void threads_count_down(client_threads *all)
{
    pthread_mutex_lock(&all->lock);
    if (--all->count == 0 && atomic_load(&all->shared.draining))
        eventfd_write(all->emptied, 1);
    if (++all->ended == MANY_ENDED)
        eventfd_write(all->many_ended, 1);
    pthread_mutex_unlock(&all->lock);
}

static void *thread_run(void *arg)
{
    thread_connection *c = arg;
    client_threads *all = container_of(c->shared, client_threads, shared);
    crash_handler_thread_begin("[threads] stack");
    atomic_store_explicit(&c->thread, (pid_t)syscall(SYS_gettid), memory_order_relaxed);
    recorder_here = all->recorder;
    all->site->open(all->site->arg);
    thread_connection_run(c);
    threads_remove(all, c);
    close(c->fd);
    thread_connection_free(c);
    await(all->site->close(all->site->arg));
    websocket_trim();
    server_trim_thread();
    crash_handler_thread_end();
    threads_count_down(all);
    return NULL;
}

/* Accepting. */

static int threads_count(client_threads *all)
{
    pthread_mutex_lock(&all->lock);
    const int now = all->count;
    pthread_mutex_unlock(&all->lock);
    return now;
}

static int thread_start(client_threads *all, int client)
{
    enum { HEAP = 256 * 1024 };              /* which the other threads may yet need, each */
    pthread_t id;
    if (!mem_has(all->shared.config->threads.stack + (size_t)threads_count(all) * HEAP))
        return refuse(REFUSED_MEMORY, 0);
    thread_connection *c = thread_connection_new(&all->shared, client);
    threads_add(all, c);
    const int err = pthread_create(&id, &all->attributes, thread_run, c);
    if (err) {
        threads_remove(all, c);
        threads_count_down(all);
        thread_connection_free(c);
    }
    return -err;
}

/* True if there may be more of them. */
static bool threads_accept(client_threads *all)
{
    for (int i = 0; i < ACCEPTS; i++) {
        const int client = client_socket_accept(all->listener, 0);
        if (client == UV_EAGAIN)
            return false;
        if (client < 0) {
            log_warning("cannot accept a connection: %s", uv_strerror(client));
            poll(&(struct pollfd){ all->signals, POLLIN, 0 }, 1, ACCEPT_PAUSE);
            return false;
        }
        const bool room = threads_count(all) < all->shared.config->threads.max;
        const int err = room ? thread_start(all, client) : 0;
        if (err && !refusal_is(err))
            log_warning("cannot start a thread: %s", uv_strerror(err));
        if (!room || err) {
            listener_turn_away(client, refusal_is(err) ? err : refuse(REFUSED_THREADS, 0));
            close(client);
        }
    }
    return true;
}

/* Signals. */

/* The number of one that says to stop; 0: it was the one that asks what all threads do, for the log. */
static int threads_read_signal(client_threads *all)
{
    struct signalfd_siginfo info;
    if (read(all->signals, &info, sizeof info) != sizeof info)
        return 0;
    if (info.ssi_signo != SIGUSR2)
        return (int)info.ssi_signo;
    pthread_mutex_lock(&all->lock);
    log_list("there are %d threads with a client", all->count);
    for (const list_node *n = all->connections.first; n; n = n->next)
        thread_connection_log(container_of(n, thread_connection, node));
    pthread_mutex_unlock(&all->lock);
    return 0;
}

/* Stopping. */

/* Waits until all have gone, or so many milliseconds: true if they have. A second signal ends it all. */
static bool threads_wait_until_gone(client_threads *all, uint64_t ms)
{
    struct pollfd on[] = { { all->emptied, POLLIN, 0 }, { all->signals, POLLIN, 0 } };
    for (const uint64_t until = deadline_in(ms); threads_count(all) > 0;) {
        const uint64_t now = deadline_in(0);
        if (now >= until)
            return false;
        const uint64_t left = (until - now) / 1000000 + 1;
        poll(on, 2, ms == NO_DEADLINE || left > INT32_MAX ? -1 : (int)left);
        const int number = on[1].revents ? threads_read_signal(all) : 0;
        if (number) {
            log_flush();
            _exit(128 + number);
        }
    }
    return true;
}

/* Ends all that they wait for: how many had anything under way. */
static int threads_shut_down(client_threads *all)
{
    int busy = 0;
    pthread_mutex_lock(&all->lock);
    for (list_node *n = all->connections.first; n; n = n->next) {
        const thread_connection *c = container_of(n, thread_connection, node);
        busy += !atomic_load(&c->idle);
        if (atomic_load(&c->delimits))
            client_socket_reset(c->fd);
        else
            shutdown(c->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&all->lock);
    return busy;
}

/* True if the drain time passed with work left. */
static bool threads_drain(client_threads *all)
{
    const uint64_t time = all->shared.config->timeouts.drain;
    all->shared.stopped = uv_hrtime();
    all->shared.spread = 1000000 * stop_spread_ms(time, threads_count(all));
    atomic_store(&all->shared.draining, true);
    eventfd_write(all->shared.stopping, 1);
    http_client_retire();
    if (threads_wait_until_gone(all, time / 2))
        return false;
    atomic_store(&all->shared.breaking_off, true);
    topics_stop();
    if (threads_wait_until_gone(all, time - time / 2))
        return false;
    const int late = threads_shut_down(all);
    if (late > 0)
        server_log_late(late);
    threads_wait_until_gone(all, NO_DEADLINE);
    return late > 0;
}

/* Threads that serve have no ticks. What those that have ended had is the allocator's, until it is told:
 * some time after the first of many, for the others may be about to end, too. */
static void threads_give_back_memory(client_threads *all)
{
    eventfd_t times;
    pthread_mutex_lock(&all->lock);
    all->ended = 0;
    eventfd_read(all->many_ended, &times);
    pthread_mutex_unlock(&all->lock);
    reserve_trim_allocator();
}

/* Accepts, until there is a signal that says to stop: its number. */
static int threads_serve(client_threads *all)
{
    struct pollfd on[] = { { all->listener, POLLIN, 0 }, { all->signals, POLLIN, 0 }, { all->many_ended, POLLIN, 0 } };
    int stopping = 0;
    uint64_t due = NO_DEADLINE;            /* when to give back */
    while (!stopping) {
        const bool waits = due != NO_DEADLINE;             /* one more does not matter */
        if (poll(on, waits ? 2 : 3, waits ? RESERVE_PERIOD : -1) < 0)
            continue;
        if (on[0].revents)
            (void)threads_accept(all);
        stopping = on[1].revents ? threads_read_signal(all) : 0;
        if (waits && deadline_in(0) >= due) {
            threads_give_back_memory(all);
            due = NO_DEADLINE;
        } else if (!waits && on[2].revents) {
            due = deadline_in(RESERVE_PERIOD);
        }
        on[2].revents = 0;
    }
    return stopping;
}

static int threads_watch_signals(client_threads *all, sigset_t *before)
{
    sigset_t watched;
    int numbers[SERVER_STOP_SIGNALS];
    sigemptyset(&watched);
    for (int i = server_stop_signals(numbers); i-- > 0;)
        sigaddset(&watched, numbers[i]);
    sigaddset(&watched, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &watched, before);            /* every thread inherits it */
    all->signals = signalfd(-1, &watched, SFD_CLOEXEC);
    return all->signals < 0 ? -errno : 0;
}

static void threads_open(client_threads *all, const server *s)
{
    all->shared = (thread_shared){ .config = s->config, .router = s->router, .answering = s->site->answering };
    all->site = s->site;
    all->recorder = recorder_new_shared("threads", s->config->log.recorder);
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        thread_admission_init(&all->admissions[n], s->site->threads(s->site->arg, (need)n), s->config->database.line,
                     codel_of_ms(s->config->database.target, s->config->database.line_timeout));
    all->shared.admissions = all->admissions;
    all->listener = s->listener.sockets[0];
    all->emptied = eventfd(0, EFD_CLOEXEC);
    all->many_ended = eventfd(0, EFD_CLOEXEC);
    all->shared.stopping = eventfd(0, EFD_CLOEXEC);
    server_must(all->emptied < 0 || all->many_ended < 0 || all->shared.stopping < 0 ? -errno : 0, "cannot start the server");
    server_must(listen(all->listener, LISTENER_BACKLOG) ? -errno : 0, "cannot listen");
    pthread_mutex_init(&all->lock, NULL);
    pthread_attr_init(&all->attributes);
    pthread_attr_setdetachstate(&all->attributes, PTHREAD_CREATE_DETACHED);
    server_must(-pthread_attr_setstacksize(&all->attributes, s->config->threads.stack), "[threads] stack");
}

static void threads_close(client_threads *all)
{
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        thread_admission_done(&all->admissions[n]);
    close(all->signals);
    close(all->emptied);
    close(all->many_ended);
    close(all->shared.stopping);
    pthread_attr_destroy(&all->attributes);
    pthread_mutex_destroy(&all->lock);
    recorder_free_shared(all->recorder);
}

int server_run_threads(server *s, void (*started)(void *arg), void *arg)
{
    client_threads all = { 0 };
    sigset_t before;

    server_must(threads_watch_signals(&all, &before), "cannot watch for signals");
    threads_open(&all, s);
    atomic_store(&serving, &all);
    started(arg);
    server_log_stopping(threads_serve(&all));
    while (threads_accept(&all))             /* those that the kernel has by now */
        ;
    listener_close(&s->listener);
    const bool late = threads_drain(&all);
    atomic_store(&serving, NULL);
    threads_close(&all);
    unawaited_log_flush(true);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return late ? UV_ETIMEDOUT : 0;
}
