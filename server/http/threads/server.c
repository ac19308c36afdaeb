/* server.c - a thread for each connection; see server_internal.h.
 *
 * The first thread accepts, and waits for signals; every other one serves one client. When told to
 * stop, the first thread ends what the others wait for, by shutting their sockets down:
 *
 *     signal -> no new clients -> each is answered once more, in the time for that, bodies that stream in
 *               half of it -> the idle are let go, the late are cut off */
#include "server/http/server.h"
#include "client_threads.h"
#include "server/http/listen/listening_sockets.h"
#include "server/http/client_socket.h"
#include "server/http/observe/access_log.h"
#include "server/http/stop_spread.h"
#include "server/http/client/client.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/diagnose/crash_handler.h"
#include "server/diagnose/unawaited_log.h"
#include "server/diagnose/watchdog.h"
#include "server/topic/topic.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/shard.h"
#include "server/async/task.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "server/base/reserve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    NEAR = 64 * 1024,                        /* bytes between the beginning of a thread's stack and its end, at most */
    ACCEPTS = 64,                            /* clients, before a look at the signals */
};

/* One thread. */

static void *thread_run(void *arg)
{
    thread_connection *c = arg;
    client_threads *all = container_of(c->shared, client_threads, shared);
    crash_handler_thread_begin("[threads] stack");
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    atomic_store_explicit(&c->thread, (pid_t)syscall(SYS_gettid), memory_order_relaxed);
    /* With glibc what the thread itself is described by is the last that is on its stack. */
    const uintptr_t here = (uintptr_t)&all, self = (uintptr_t)pthread_self();
    atomic_store_explicit(&c->stack, ((self > here && self - here < NEAR ? self : here) / page + 1) * page, memory_order_relaxed);
    recorder_here = all->recorder;
    shard_share();
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

static int client_thread_start(client_threads *all, const listener *l, int client)
{
    enum { HEAP = 256 * 1024 };              /* which the other threads may yet need, each */
    pthread_t id;
    if (!mem_has(all->shared.config->threads.stack + (size_t)threads_count(all) * HEAP))
        return refuse(REFUSED_MEMORY, 0);
    thread_connection *c = thread_connection_new(&all->shared, l, client);
    threads_add(all, c);
    const int err = pthread_create(&id, &all->attributes, thread_run, c);
    if (err) {
        threads_remove(all, c);
        threads_count_down(all);
        thread_connection_free(c);
    }
    return -err;
}

static void threads_turn_away(int client, int err)
{
    client_name name;
    client_socket_turn_away(client, err);
    if (access_log_is_on()) {
        client_name_of(&name, client);
        access_log_refusal(NULL, "", client_name_text(&name), 503);
    }
    close(client);
}

/* True if there may be more of them. */
static bool threads_accept(client_threads *all, const listener *l, int socket)
{
    for (int i = 0; i < ACCEPTS; i++) {
        const int client = client_socket_accept(socket, 0);
        if (client == UV_EAGAIN)
            return false;
        if (client < 0) {
            log_warning("cannot accept a connection: %s", uv_strerror(client));
            poll(&(struct pollfd){ all->signals, POLLIN, 0 }, 1, ACCEPT_PAUSE);
            return false;
        }
        const bool room = l->admin || threads_count(all) < all->shared.config->threads.max;
        const int err = room ? client_thread_start(all, l, client) : 0;
        if (err && !refusal_is(err))
            log_warning("cannot start a thread: %s", uv_strerror(err));
        if (!room || err)
            threads_turn_away(client, refusal_is(err) ? err : refuse(REFUSED_THREADS, 0));
    }
    return true;
}

/* Signals. */

/* The number of one that says to stop; 0: it was the one that asks what all threads do, for the log. */
static int threads_read_signal(client_threads *all)
{
    struct signalfd_siginfo info;
    eventfd_t told;
    if (all->server->told >= 0)
        return eventfd_read(all->signals, &told) ? 0 : SIGTERM;
    if (read(all->signals, &info, sizeof info) != sizeof info)
        return 0;
    if (info.ssi_signo != SIGUSR2)
        return (int)info.ssi_signo;
    if (!watchdog_dump())                    /* which asks for these, too */
        threads_log();
    return 0;
}

/* Stopping. */

/* Waits until all have gone, or so many milliseconds: true if they have. A second signal ends it all. */
static bool threads_wait_until_gone(client_threads *all, uint64_t ms)
{
    struct pollfd on[] = { { all->emptied, POLLIN, 0 }, { all->signals, POLLIN, 0 } };
    for (const uint64_t until = deadline_in(ms); threads_count(all) > 0;) {
        if (uv_hrtime() >= until)
            return false;
        poll(on, 2, deadline_poll_ms(until));
        const int number = on[1].revents ? threads_read_signal(all) : 0;
        if (number)
            server_end_at_once(number);
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

/* What is now in the queues of sockets that are only here. */
static void threads_accept_last(client_threads *all)
{
    const listeners *const in = &all->server->listeners;
    for (int i = 0; i < in->count; i++)
        for (int n = 0; n < in->at[i].count; n++)
            while (!listening_socket_stays(in->at[i].sockets[n]) && threads_accept(all, &in->at[i], in->at[i].sockets[n]))
                ;
}

/* Takes the latest configuration. */
static void threads_answer(client_threads *all)
{
    eventfd_t times;
    eventfd_read(all->asked, &times);
    const config *const c = atomic_load(&all->server->latest);
    atomic_store(&all->shared.config, c);
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        thread_admission_configure(&all->admissions[n], c->database.line, c->database.target, c->database.line_timeout);
    atomic_store(&all->answered, true);
}

/* When to stop: a signal says so, but for what it is to wait for then. A second one ends it all. */
static uint64_t threads_stop_time(client_threads *all, uint64_t before)
{
    const int number = threads_read_signal(all);
    if (!number)
        return before;
    if (before != NO_DEADLINE)
        server_end_at_once(number);
    server_begin_to_drain(all->server, number);
    return deadline_in(server_drain_delay(all->server));
}

/* Accepts, until it is told to stop. */
static void threads_serve(client_threads *all)
{
    enum { SIGNALS, ASKED, ENDED, SOCKETS };
    const listeners *const in = &all->server->listeners;
    int count = SOCKETS;
    for (int i = 0; i < in->count; i++)
        count += in->at[i].count;
    struct pollfd *const on = mem_alloc((size_t)count * sizeof *on);
    const listener **const of = mem_alloc((size_t)count * sizeof *of);       /* whose socket it is */
    uint64_t give_back = NO_DEADLINE, stop = NO_DEADLINE;
    on[SIGNALS] = (struct pollfd){ all->signals, POLLIN, 0 };
    on[ASKED] = (struct pollfd){ all->asked, POLLIN, 0 };
    for (int i = 0, at = SOCKETS; i < in->count; i++)
        for (int n = 0; n < in->at[i].count; n++, at++) {
            on[at] = (struct pollfd){ in->at[i].sockets[n], POLLIN, 0 };
            of[at] = &in->at[i];
        }
    while (deadline_in(0) < stop) {
        /* While it waits to give back, one more that has ended does not matter. */
        on[ENDED] = (struct pollfd){ give_back == NO_DEADLINE ? all->many_ended : -1, POLLIN, 0 };
        if (poll(on, (nfds_t)count, deadline_poll_ms(deadline_sooner(give_back, stop))) < 0)
            continue;
        for (int i = SOCKETS; i < count; i++)
            if (on[i].revents)
                (void)threads_accept(all, of[i], on[i].fd);
        if (on[SIGNALS].revents)
            stop = threads_stop_time(all, stop);
        if (on[ASKED].revents)
            threads_answer(all);
        if (deadline_in(0) >= give_back) {
            threads_give_back_memory(all);
            give_back = NO_DEADLINE;
        } else if (on[ENDED].revents) {
            give_back = deadline_in(RESERVE_PERIOD);
        }
    }
    mem_free(on);
    mem_free(of);
}

static void threads_ask(server *s)
{
    client_threads *const all = s->running;
    atomic_store(&all->answered, false);
    eventfd_write(all->asked, 1);
}

static bool threads_have_answered(server *s) { return atomic_load(&((client_threads *)s->running)->answered); }

static const server_loops THREADS = { threads_ask, threads_have_answered };

static int threads_watch_signals(client_threads *all, sigset_t *before)
{
    sigset_t watched;
    sigemptyset(&watched);
    if (all->server->told >= 0) {            /* no signals, but this */
        all->signals = all->server->told;
        return -pthread_sigmask(SIG_BLOCK, &watched, before);
    }
    for (int i = 0; i < SERVER_STOP_SIGNALS; i++)
        sigaddset(&watched, SERVER_STOP_SIGNAL[i]);
    sigaddset(&watched, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &watched, before);            /* every thread inherits it */
    all->signals = signalfd(-1, &watched, SFD_CLOEXEC);
    return all->signals < 0 ? -errno : 0;
}

static void threads_init(client_threads *all, server *s)
{
    *all = (client_threads){ .server = s, .site = s->site, .signals = -1, .emptied = -1, .many_ended = -1,
                             .asked = -1, .answered = true };
    all->shared = (thread_shared){ .config = s->config, .trust = &s->trust, .answering = s->site->answering, .stopping = -1 };
    all->recorder = recorder_new_shared("threads", s->config->log.recorder);
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        thread_admission_init(&all->admissions[n], s->site->threads(s->site->arg, (need)n), s->config->database.line,
                     codel_of_ms(s->config->database.target, s->config->database.line_timeout));
    all->shared.admissions = all->admissions;
    pthread_mutex_init(&all->lock, NULL);
    pthread_attr_init(&all->attributes);
    pthread_attr_setdetachstate(&all->attributes, PTHREAD_CREATE_DETACHED);
}

static int threads_open(client_threads *all)
{
    all->emptied = eventfd(0, EFD_CLOEXEC);
    all->many_ended = eventfd(0, EFD_CLOEXEC);
    all->shared.stopping = eventfd(0, EFD_CLOEXEC);
    all->asked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (all->emptied < 0 || all->many_ended < 0 || all->shared.stopping < 0 || all->asked < 0)
        return -errno;
    const listeners *const in = &all->server->listeners;
    for (int i = 0; i < in->count; i++)
        for (int n = 0; n < in->at[i].count; n++)
            if (listen(in->at[i].sockets[n], LISTENER_BACKLOG))
                return -errno;
    return -pthread_attr_setstacksize(&all->attributes, all->shared.config->threads.stack);
}

static void descriptor_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void threads_done(client_threads *all)
{
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        thread_admission_done(&all->admissions[n]);
    if (all->signals != all->server->told)
        descriptor_close(all->signals);
    descriptor_close(all->emptied);
    descriptor_close(all->many_ended);
    descriptor_close(all->asked);
    descriptor_close(all->shared.stopping);
    pthread_attr_destroy(&all->attributes);
    pthread_mutex_destroy(&all->lock);
    recorder_free_shared(all->recorder);
}

/* Until told to stop; true if the drain time passed with work left. */
static bool threads_run(client_threads *all, server *s)
{
    threads_serve(all);
    server_set_running(s, NULL, NULL);       /* while it waits for the last threads it has nobody to ask */
    server_begin_to_stop(s);
    threads_accept_last(all);
    listeners_stop(&s->listeners);
    const bool late = threads_drain(all);
    threads_hide();
    return late;
}

int server_run_threads(server *s, void (*started)(void *arg), void *arg)
{
    client_threads all;
    sigset_t before;
    bool late = false;

    threads_init(&all, s);
    int err = threads_watch_signals(&all, &before);
    if (!err)
        err = threads_open(&all);
    if (!err) {
        threads_show(&all);
        server_set_running(s, &THREADS, &all);
        started(arg);
        late = threads_run(&all, s);
    }
    threads_done(&all);
    unawaited_log_flush(true);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err ? err : late ? UV_ETIMEDOUT : 0;
}
