/* process.c - see process.h. */
#include "process.h"

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

/* The file that this program was started from, even if another is there by now. Under valgrind that would be
 * valgrind, which knows better. */
static const char *own_file(char path[PATH])
{
    size_t size = PATH;
    return RUNNING_ON_VALGRIND && uv_exepath(path, &size) == 0 ? path : "/proc/self/exe";
}

/* What programs need to start, and their sanitizers. Passwords are in none of them. */
static bool is_harmless(const char *variable)
{
    static const char *const BEGINNINGS[] = { "LD_", "LC_", "LANG=", "TZ=", "PATH=", "GCOV_", "LLVM_" };
    for (size_t i = 0; i < sizeof BEGINNINGS / sizeof BEGINNINGS[0]; i++)
        if (strncmp(variable, BEGINNINGS[i], strlen(BEGINNINGS[i])) == 0)
            return true;
    const char *tail = strstr(variable, "SAN_OPTIONS=");
    return tail && tail < strchr(variable, '=');
}

static void choose_environment(char *chosen[VARIABLES + 1])
{
    int count = 0;
    for (char **v = environ; v && *v && count < VARIABLES; v++)
        if (is_harmless(*v))
            chosen[count++] = *v;
    chosen[count] = NULL;
}

/* Signals as they are at the start of a program; but SIGINT, which the terminal sends to all, waits until the worker
 * ignores it: the parent decides. */
static void set_signals(posix_spawnattr_t *attributes)
{
    sigset_t all, blocked;
    sigfillset(&all);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &blocked);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

static void set_descriptors(posix_spawn_file_actions_t *actions, int socket)
{
    posix_spawn_file_actions_adddup2(actions, socket, PROCESS_SOCKET);
    posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(actions, PROCESS_SOCKET + 1);
}

static int spawn(pid_t *pid, int socket, size_t memory)
{
    char path[PATH], limit[24], *environment[VARIABLES + 1];
    char *const arguments[] = { "tenk", PROCESS_ARGUMENT, limit, NULL };
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;

    snprintf(limit, sizeof limit, "%zu", memory);
    choose_environment(environment);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    set_signals(&attributes);
    set_descriptors(&actions, socket);
    const int err = posix_spawn(pid, own_file(path), &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -err;
}

int process_start(process *p, size_t memory)
{
    int ends[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const int err = spawn(&pid, ends[1], memory);
    close(ends[1]);
    if (err) {
        close(ends[0]);
        return err;
    }
    *p = (process){ pid, ends[0] };
    return 0;
}

/* A worker that is told that nothing more will come ends, and its end of the socket with it. */
static void wait_for_its_end(int fd, int ms)
{
    struct pollfd p = { fd, POLLIN, 0 };
    shutdown(fd, SHUT_WR);
    while (poll(&p, 1, ms) < 0 && errno == EINTR)
        ;
}

int process_end(process *p, int grace_ms)
{
    int status = 0;
    if (!p->pid)
        return 0;
    if (grace_ms > 0)
        wait_for_its_end(p->fd, grace_ms);
    kill(p->pid, SIGKILL);                   /* if it has ended: until it has been waited for, the pid is its own */
    close(p->fd);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        ;
    *p = (process){ 0 };
    return status;
}

void process_explain(int status, char *words, size_t size)
{
    if (!WIFSIGNALED(status)) {
        snprintf(words, size, "ended with %d", WEXITSTATUS(status));
        return;
    }
    const char *name = sigdescr_np(WTERMSIG(status));
    snprintf(words, size, "was killed by signal %d (%s)", WTERMSIG(status), name ? name : "unknown");
}
