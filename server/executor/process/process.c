/* process.c - see process.h. */
#include "process.h"
#include "server/base/observe/layout.h"
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#ifdef USE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

enum { VARIABLES = 32, PATH = 4096 };

struct process_tally process_tally;

static const layout_entry PROCESS_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("gauge.process jobs running", &process_tally.running),
    LAYOUT_ADDRESS("gauge.process jobs waiting", &process_tally.waiting),
};

/* The file that this program was started from, even if another is there by now. Under valgrind that would be
 * valgrind, which knows better. */
static const char *own_file(char path[PATH])
{
    size_t size = PATH;
    return RUNNING_ON_VALGRIND && uv_exepath(path, &size) == 0 ? path : "/proc/self/exe";
}

/* What programs need to start, and their sanitizers. Passwords are in none of them. */
static bool environment_is_harmless(const char *variable)
{
    static const char *const BEGINNINGS[] = { "LD_", "LC_", "LANG=", "TZ=", "PATH=", "GCOV_", "LLVM_" };
    for (size_t i = 0; i < sizeof BEGINNINGS / sizeof BEGINNINGS[0]; i++)
        if (strncmp(variable, BEGINNINGS[i], strlen(BEGINNINGS[i])) == 0)
            return true;
    const char *tail = strstr(variable, "SAN_OPTIONS=");
    return tail && tail < strchr(variable, '=');
}

static void environment_choose(char *chosen[VARIABLES + 1])
{
    int count = 0;
    for (char **v = environ; v && *v && count < VARIABLES; v++)
        if (environment_is_harmless(*v))
            chosen[count++] = *v;
    chosen[count] = NULL;
}

/* Signals as they are at the start of a program; but SIGINT, which the terminal sends to all, waits until the worker
 * ignores it: the parent decides. */
static void spawn_set_signals(posix_spawnattr_t *attributes)
{
    sigset_t all, blocked;
    sigfillset(&all);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &blocked);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* The lifeline first: it may be what stands where the socket goes, but the socket is never among the standard files. */
static void spawn_set_descriptors(posix_spawn_file_actions_t *actions, int socket, int lifeline)
{
    posix_spawn_file_actions_adddup2(actions, lifeline, PROCESS_LIFELINE);
    posix_spawn_file_actions_adddup2(actions, socket, PROCESS_SOCKET);
    posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(actions, PROCESS_SOCKET + 1);
}

static int process_spawn(pid_t *pid, int socket, int lifeline, size_t memory)
{
    char path[PATH], limit[24], *environment[VARIABLES + 1];
    char *const arguments[] = { "tenk", PROCESS_ARGUMENT, limit, NULL };
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;

    snprintf(limit, sizeof limit, "%zu", memory);
    environment_choose(environment);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    spawn_set_signals(&attributes);
    spawn_set_descriptors(&actions, socket, lifeline);
    const int err = posix_spawn(pid, own_file(path), &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -err;
}

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

int process_start(process *p, size_t memory)
{
    int ends[2], lifeline[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -errno;
    if (pipe2(lifeline, O_CLOEXEC)) {
        const int err = -errno;
        close_both(ends);
        return err;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const int err = process_spawn(&pid, ends[1], lifeline[0], memory);
    if (err) {
        close_both(ends);
        close_both(lifeline);
        return err;
    }
    close(ends[1]);
    close(lifeline[0]);
    *p = (process){ pid, ends[0], lifeline[1] };
    process_tally.workers++;
    process_tally.started++;
    return 0;
}

/* "was killed by signal 11 (Segmentation fault)", "ended with 3" */
static void log_death(pid_t pid, int status, const char *job)
{
    char how[64];
    if (WIFSIGNALED(status)) {
        const char *name = sigdescr_np(WTERMSIG(status));
        snprintf(how, sizeof how, "was killed by signal %d (%s)", WTERMSIG(status), name ? name : "unknown");
    } else {
        snprintf(how, sizeof how, "ended with %d", WEXITSTATUS(status));
    }
    log_warning("worker process %d %s%s%s", (int)pid, how, *job ? " while it did " : "", job);
}

void process_end(process *p, int grace_ms, const char *died_of)
{
    int status = 0;
    const pid_t pid = p->pid;
    if (!pid)
        return;
    if (grace_ms > 0) {                      /* told that nothing more will come it ends, and its end of the socket with it */
        struct pollfd socket = { p->fd, POLLIN, 0 };
        shutdown(p->fd, SHUT_WR);
        while (poll(&socket, 1, grace_ms) < 0 && errno == EINTR)
            ;
    }
    kill(pid, SIGKILL);                      /* if it has ended: until it has been waited for, the pid is its own */
    close(p->fd);
    close(p->lifeline);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *p = (process){ 0 };
    process_tally.workers--;
    if (!died_of)
        return;
    process_tally.died++;
    log_death(pid, status, died_of);
}

uint64_t process_rest_ms(unsigned failures)
{
    const uint64_t ms = (uint64_t)PROCESS_REST << (failures < 16 ? failures - 1 : 15);
    return ms < PROCESS_LONGEST_REST ? ms : PROCESS_LONGEST_REST;
}

const char *process_judge(const process *p, int err, const char *job)
{
    if (err != UV_EPROTO)
        return job;
    process_tally.died++;
    log_warning("worker process %d is killed: it wrote what is no answer%s%s", (int)p->pid, *job ? " to " : "", job);
    return NULL;
}

void process_log_late(const process *p, const char *job)
{
    log_info("worker process %d is killed: %s takes too long", (int)p->pid, job);
}

void process_log_no_start(int err)
{
    char why[64];
    log_error("a worker process cannot be started: %s", err == UV_ETIMEDOUT ? "it does nothing" :
              err == UV_EOF ? "it ends at once" : uv_strerror_r(err, why, sizeof why));
}
