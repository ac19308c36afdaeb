/* control.c - see control.h. */
#include "control.h"
#include "service_manager.h"
#include "server/base/deadline.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/thread.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <uv.h>

struct control {
    control_options options;
    pthread_t       thread;
    int             hangups;                 /* a descriptor that can be read when there was one; never if they are ignored */
    int             serving, ended;          /* the same: control_serve, control_stop */
    uint64_t        beat;                    /* when the next one is due; or NO_DEADLINE */
};

static bool terminals[3];                    /* which of the standard files were, before any was hung up */

static bool hangup_is_ignored(void)
{
    struct sigaction hangup;
    return sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
}

static sigset_t only_hangup(void)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGHUP);
    return s;
}

void control_begin(void)
{
    const sigset_t hangup = only_hangup();
    for (int fd = 0; fd < 3; fd++)
        terminals[fd] = isatty(fd);
    if (!hangup_is_ignored())
        pthread_sigmask(SIG_BLOCK, &hangup, NULL);           /* every thread inherits that */
}

static bool terminal_is_gone(void)
{
    for (int fd = 0; fd < 3; fd++) {
        struct pollfd on = { fd, 0, 0 };
        if (terminals[fd] && poll(&on, 1, 0) == 1 && on.revents & POLLHUP)
            return true;
    }
    return false;
}

static void control_hang_up(control *c)
{
    struct signalfd_siginfo info;
    if (read(c->hangups, &info, sizeof info) != sizeof info)
        return;
    if (terminal_is_gone())
        kill(getpid(), SIGTERM);
    else
        c->options.reload(c->options.arg);
}

/* It is told only if all loops have come by since they were asked last. */
static void control_beat(control *c)
{
    if (server_has_answered(c->options.server))
        service_notify("WATCHDOG=1");
    server_ask(c->options.server);
    c->beat = deadline_in(service_watchdog_ms());
}

static void control_take_over(control *c)
{
    control_options *const o = &c->options;
    char why[512];
    handover_take(o->before);
    if (o->handover && o->listens.listening < 0 && handover_open(&o->listens, o->handover, why, sizeof why))
        log_error("%s", why);
}

static void *control_run(void *arg)
{
    control *c = arg;
    handover_server *const h = &c->options.listens;
    enum { ENDED, HANGUPS, ASKED, ANSWERED, COUNT };
    struct pollfd before[] = { { c->serving, POLLIN, 0 }, { c->ended, POLLIN, 0 } };
    while (poll(before, 2, -1) < 0)
        ;
    if (before[1].revents)
        return NULL;
    control_take_over(c);
    c->options.ready(c->options.ready_arg);
    if (service_watchdog_ms())
        control_beat(c);
    for (;;) {
        struct pollfd on[COUNT] = {
            [ENDED] = { c->ended, POLLIN, 0 }, [HANGUPS] = { c->hangups, POLLIN, 0 },
            [ASKED] = { h->listening, POLLIN, 0 }, [ANSWERED] = { h->listening < 0 ? -1 : h->asking, POLLIN, 0 },
        };
        poll(on, COUNT, deadline_poll_ms(c->beat));
        if (on[ENDED].revents)
            return NULL;
        if (on[HANGUPS].revents)
            control_hang_up(c);
        if (on[ANSWERED].revents && handover_answered(h))
            kill(getpid(), SIGTERM);
        else if (on[ASKED].revents)
            handover_asked(h, c->options.drain_ms(c->options.arg));
        if (uv_hrtime() >= c->beat)
            control_beat(c);
    }
}

int control_start(control **started, const control_options *o)
{
    const sigset_t hangup = only_hangup();
    control *c = mem_alloc(sizeof *c);
    *c = (control){ .options = *o, .hangups = -1, .serving = eventfd(0, EFD_CLOEXEC), .ended = eventfd(0, EFD_CLOEXEC),
                    .beat = NO_DEADLINE };
    int err = c->serving < 0 || c->ended < 0 ? -errno : 0;
    if (!err && (c->hangups = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        err = -errno;
    if (!err)
        err = thread_start(&c->thread, control_run, c);
    if (!err) {
        *started = c;
        return 0;
    }
    c->options.listens.listening = -1;       /* the caller's still */
    control_free(c);
    return err;
}

void control_serve(control *c) { eventfd_write(c->serving, 1); }

void control_stop(control *c)
{
    eventfd_write(c->ended, 1);
    pthread_join(c->thread, NULL);
}

void control_closed(control *c) { handover_closed(&c->options.listens); }

void control_free(control *c)
{
    const int own[] = { c->hangups, c->serving, c->ended };
    handover_close(&c->options.listens);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i] >= 0)
            close(own[i]);
    mem_free(c);
}
