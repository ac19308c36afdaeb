/* server.c - a thread for each connection; see server_internal.h.
 *
 * The first thread accepts, and waits for signals; every other one talks to one client. When told to
 * stop, the first thread ends what the others wait for, by shutting their sockets down:
 *
 *     signal -> no new clients -> each is answered once more, in the time for that, bodies that stream in
 *               half of it -> the idle are let go, the late are cut off */
#include "server/http/server.h"
#include "server/http/server_internal.h"
#include "server/http/client/client.h"
#include "connection.h"
#include "server/diagnose/crash_handler.h"
#include "server/diagnose/unawaited_log.h"
#include "server/base/blocking_wait.h"
#include "server/async/task.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"
#include "server/base/reserve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    AT_ONCE = 64,                            /* clients, before a look at the signals */
    PAUSE = 100,                             /* ms without accepting when there are no descriptors left */
    MANY = 256,                              /* threads that have ended: what they have freed is worth a look */
};

typedef struct crowd {
    talk            talk;                    /* must be first */
    const site     *site;
    permits         permits[NEEDS];
    int             listener, signals, emptied, many_ended;  /* descriptors */
    pthread_attr_t  attributes;              /* of the threads */
    pthread_mutex_t lock;                    /* of what follows */
    conversation   *first;                   /* all that go on */
    int             count;
    int             ended;                   /* since what they have freed went to the kernel */
} crowd;

/* One thread. */

static void join(crowd *all, conversation *c)
{
    pthread_mutex_lock(&all->lock);
    c->next = all->first;
    if (c->next)
        c->next->prev = c;
    all->first = c;
    all->count++;
    pthread_mutex_unlock(&all->lock);
}

/* From here on nobody else touches c. The last one to leave says so: to whom, when all may be freed. */
static void leave(crowd *all, conversation *c)
{
    pthread_mutex_lock(&all->lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        all->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&all->lock);
}

static void count_down(crowd *all)
{
    pthread_mutex_lock(&all->lock);
    if (--all->count == 0 && atomic_load(&all->talk.draining))
        eventfd_write(all->emptied, 1);
    if (++all->ended == MANY)
        eventfd_write(all->many_ended, 1);
    pthread_mutex_unlock(&all->lock);
}

static void *run_thread(void *arg)
{
    conversation *c = arg;
    crowd *all = (crowd *)c->talk;
    crash_handler_thread_begin("[threads] stack");
    all->site->open(all->site->arg);
    conversation_run(c);
    leave(all, c);
    close(c->fd);
    conversation_free(c);
    await(all->site->close(all->site->arg));
    serve_trim();
    crash_handler_thread_end();
    count_down(all);
    return NULL;
}

/* Accepting. */

static int count(crowd *all)
{
    pthread_mutex_lock(&all->lock);
    const int now = all->count;
    pthread_mutex_unlock(&all->lock);
    return now;
}

/* And for what the others may yet need of theirs. */
static bool has_memory_for_one_more(crowd *all)
{
    enum { HEAP = 256 * 1024 };
    return mem_has(all->talk.config->threads.stack + (size_t)count(all) * HEAP);
}

static int start_thread(crowd *all, int client)
{
    pthread_t id;
    if (!has_memory_for_one_more(all))
        return refuse(REFUSED_MEMORY, 0);
    conversation *c = conversation_new(&all->talk, client);
    join(all, c);
    const int err = pthread_create(&id, &all->attributes, run_thread, c);
    if (err) {
        leave(all, c);
        count_down(all);
        conversation_free(c);
    }
    return -err;
}

/* True if there may be more of them. */
static bool accept_some(crowd *all)
{
    for (int i = 0; i < AT_ONCE; i++) {
        const int client = accept4(all->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (client < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return false;
            log_warning("cannot accept a connection: %s", uv_strerror(-errno));
            poll(&(struct pollfd){ all->signals, POLLIN, 0 }, 1, PAUSE);
            return false;
        }
        const bool room = count(all) < all->talk.config->threads.max;
        const int err = room ? start_thread(all, client) : 0;
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

static void dump(crowd *all)
{
    pthread_mutex_lock(&all->lock);
    log_list("there are %d threads with a client", all->count);
    for (const conversation *c = all->first; c; c = c->next)
        conversation_log(c);
    pthread_mutex_unlock(&all->lock);
}

/* The number of one that says to stop; 0: it was another. */
static int read_signal(crowd *all)
{
    struct signalfd_siginfo info;
    if (read(all->signals, &info, sizeof info) != sizeof info)
        return 0;
    if (info.ssi_signo != SIGUSR2)
        return (int)info.ssi_signo;
    dump(all);
    return 0;
}

/* Stopping. */

/* Waits until all have gone, or so many milliseconds: true if they have. A second signal ends it all. */
static bool wait_until_empty(crowd *all, uint64_t ms)
{
    struct pollfd on[] = { { all->emptied, POLLIN, 0 }, { all->signals, POLLIN, 0 } };
    for (const uint64_t until = deadline_in(ms); count(all) > 0;) {
        const uint64_t now = deadline_in(0);
        if (now >= until)
            return false;
        const uint64_t left = (until - now) / 1000000 + 1;
        poll(on, 2, ms == NO_DEADLINE || left > INT32_MAX ? -1 : (int)left);
        const int number = on[1].revents ? read_signal(all) : 0;
        if (number) {
            log_flush();
            _exit(128 + number);
        }
    }
    return true;
}

/* Ends whatever any of them waits for: how many had anything under way. */
static int shut_down(crowd *all)
{
    int busy = 0;
    pthread_mutex_lock(&all->lock);
    for (conversation *c = all->first; c; c = c->next) {
        busy += !atomic_load(&c->idle);
        shutdown(c->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&all->lock);
    return busy;
}

/* True if the drain time passed with work left. */
static bool drain(crowd *all)
{
    const uint64_t time = all->talk.config->timeouts.drain;
    atomic_store(&all->talk.draining, true);
    http_client_retire();
    if (wait_until_empty(all, time / 2))
        return false;
    atomic_store(&all->talk.breaking_off, true);
    if (wait_until_empty(all, time - time / 2))
        return false;
    const int late = shut_down(all);
    if (late > 0)
        serve_late(late);
    wait_until_empty(all, NO_DEADLINE);
    return late > 0;
}

/* The whole. */

/* Threads that serve have no ticks. What those that have ended had is the allocator's, until it is told:
 * some time after the first of many, for the others may be about to end, too. */
static void give_back(crowd *all)
{
    eventfd_t times;
    pthread_mutex_lock(&all->lock);
    all->ended = 0;
    eventfd_read(all->many_ended, &times);
    pthread_mutex_unlock(&all->lock);
    reserve_trim_allocator();
}

/* Accepts, until there is a signal that says to stop: its number. */
static int serve(crowd *all)
{
    struct pollfd on[] = { { all->listener, POLLIN, 0 }, { all->signals, POLLIN, 0 }, { all->many_ended, POLLIN, 0 } };
    int stopping = 0;
    uint64_t due = NO_DEADLINE;            /* when to give back */
    while (!stopping) {
        const bool waits = due != NO_DEADLINE;             /* one more does not matter */
        if (poll(on, waits ? 2 : 3, waits ? RESERVE_PERIOD : -1) < 0)
            continue;
        if (on[0].revents)
            (void)accept_some(all);
        stopping = on[1].revents ? read_signal(all) : 0;
        if (waits && deadline_in(0) >= due) {
            give_back(all);
            due = NO_DEADLINE;
        } else if (!waits && on[2].revents) {
            due = deadline_in(RESERVE_PERIOD);
        }
        on[2].revents = 0;
    }
    return stopping;
}

static int watch_signals(crowd *all, sigset_t *before)
{
    sigset_t watched;
    int numbers[SERVE_SIGNALS];
    sigemptyset(&watched);
    for (int i = serve_signals(numbers); i-- > 0;)
        sigaddset(&watched, numbers[i]);
    sigaddset(&watched, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &watched, before);            /* every thread inherits it */
    all->signals = signalfd(-1, &watched, SFD_CLOEXEC);
    return all->signals < 0 ? -errno : 0;
}

static void open_crowd(crowd *all, const server *s)
{
    all->talk = (talk){ .config = s->config, .router = s->router, .answering = s->site->answering };
    all->site = s->site;
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        permits_init(&all->permits[n], s->site->threads(s->site->arg, (need)n), s->config->database.line,
                     codel_of_ms(s->config->database.target, s->config->database.line_timeout));
    all->talk.permits = all->permits;
    all->listener = s->listener.sockets[0];
    all->emptied = eventfd(0, EFD_CLOEXEC);
    all->many_ended = eventfd(0, EFD_CLOEXEC);
    serve_must(all->emptied < 0 || all->many_ended < 0 ? -errno : 0, "cannot start the server");
    serve_must(listen(all->listener, LISTENER_BACKLOG) ? -errno : 0, "cannot listen");
    pthread_mutex_init(&all->lock, NULL);
    pthread_attr_init(&all->attributes);
    pthread_attr_setdetachstate(&all->attributes, PTHREAD_CREATE_DETACHED);
    serve_must(-pthread_attr_setstacksize(&all->attributes, s->config->threads.stack), "[threads] stack");
}

static void close_crowd(crowd *all)
{
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        permits_done(&all->permits[n]);
    close(all->signals);
    close(all->emptied);
    close(all->many_ended);
    pthread_attr_destroy(&all->attributes);
    pthread_mutex_destroy(&all->lock);
}

int serve_threads(server *s, void (*started)(void *arg), void *arg)
{
    crowd all = { 0 };
    sigset_t before;

    serve_must(watch_signals(&all, &before), "cannot watch for signals");
    open_crowd(&all, s);
    started(arg);
    serve_stopping(serve(&all));
    while (accept_some(&all))                /* those that the kernel has for us by now */
        ;
    listener_close(&s->listener);
    const bool late = drain(&all);
    close_crowd(&all);
    unawaited_log_flush(true);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return late ? UV_ETIMEDOUT : 0;
}
