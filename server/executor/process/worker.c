/* worker.c - the inside of a worker process: it waits for a job, does it, answers.
 *
 * The end of its socket tells it that its parent has no more for it. The end of its lifeline, which comes when the
 * parent is gone, however that went, makes the kernel kill it: the signal of that is set to SIGKILL. So no worker outlives
 * its parent, whatever its job does. It is a descriptor of its own, for of one that is written the kernel wakes who
 * reads before it sends the signal: a signal of what has been read long since would kill the job that came by it. */
#include "worker.h"
#include "message.h"
#include "process.h"
#include "server/base/arena.h"
#include "server/base/buffer.h"
#include "server/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

/* False at the end. */
static bool worker_receive(void *to, size_t length)
{
    for (char *at = to; length > 0;) {
        const ssize_t n = recv(PROCESS_SOCKET, at, length, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

static void worker_send(const void *from, size_t length)
{
    for (const char *at = from; length > 0;) {
        const ssize_t n = send(PROCESS_SOCKET, at, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            exit(EXIT_SUCCESS);              /* the parent is gone, or wants no answer */
        at += n;
        length -= (size_t)n;
    }
}

static void worker_answer(int err, text out)
{
    const process_header h = { PROCESS_MAGIC, err, out.length };
    worker_send(&h, sizeof h);
    worker_send(out.at, out.length);
}

static void end_with_parent(void)
{
    fcntl(PROCESS_LIFELINE, F_SETOWN, getpid());
    fcntl(PROCESS_LIFELINE, F_SETSIG, SIGKILL);
    fcntl(PROCESS_LIFELINE, F_SETFL, O_ASYNC);
    struct pollfd parent = { PROCESS_LIFELINE, 0, 0 };
    if (poll(&parent, 1, 0) > 0)             /* it went before */
        exit(EXIT_SUCCESS);
}

static void worker_do(const process_job *job, text in)
{
    arena a;
    buffer out;
    arena_init(&a, NULL, 0);
    buffer_init(&out, &a);
    int err = job->run(in, &out);
    if (!err && out.length > PROCESS_LARGEST)
        err = UV_EMSGSIZE;
    worker_answer(err, err ? TEXT("") : buffer_all(&out));
    arena_done(&a);
}

/* Memory. */

static size_t resident, data;                /* bytes that this process has */

static void memory_measure(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*u %zu %*u %*u %*u %zu", &resident, &data) == 2) {
        resident *= page;
        data *= page;
    }
    if (f)
        fclose(f);
}

static void *memory_watch(void *most)
{
    do {
        usleep(10000);
        memory_measure();
    } while (resident < (size_t)most);
    raise(SIGKILL);
    return NULL;
}

/* It may have so much data more than now. It is data that a leak takes, be it the heap's or mapped. Sanitizers take
 * terabytes of address space, keep for a while what was freed, and may hang when they get no more: with them it is a
 * thread that looks, and counts four bytes as one. */
static void memory_limit(size_t memory)
{
    memory_measure();
    const rlim_t most = data + memory;
    pthread_t watcher;
    if (!RESERVE_NOTHING)
        setrlimit(RLIMIT_DATA, &(struct rlimit){ most, most });
    else if (pthread_create(&watcher, NULL, memory_watch, (void *)(resident + 4 * memory)) == 0)
        pthread_detach(watcher);
}

/* When the machine is short of processors, the server's loops come first: a worker that computes for ever must not
 * keep them from their requests. When it is short of memory, a worker goes first. */
static void lower_priority(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (nice(10) == -1 || fd < 0 || write(fd, "500", 3) < 0) {       /* a worker it is, all the same */
    }
    if (fd >= 0)
        close(fd);
}

static void ignore_interrupts(void)
{
    sigset_t set;
    signal(SIGINT, SIG_IGN);                 /* before it is let through */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void worker_run(const char *memory, const process_job *const jobs[], int count)
{
    process_header h;
    struct stat s;
    if (fstat(PROCESS_SOCKET, &s) || !S_ISSOCK(s.st_mode)) {
        fprintf(stderr, "tenk: %s is for tenk's own use\n", PROCESS_ARGUMENT);
        exit(EXIT_FAILURE);
    }
    end_with_parent();
    ignore_interrupts();
    lower_priority();
    memory_limit(strtoull(memory, NULL, 10));
    worker_answer(0, TEXT(""));                     /* hello */
    while (worker_receive(&h, sizeof h)) {
        if (h.magic != PROCESS_MAGIC || h.what < 0 || h.what >= count || h.length > PROCESS_LARGEST)
            exit(EXIT_FAILURE);
        char *in = mem_resize(NULL, h.length + 1);
        if (!worker_receive(in, h.length))
            exit(EXIT_SUCCESS);
        worker_do(jobs[h.what], (text){ in, h.length });
        mem_free(in);
    }
    exit(EXIT_SUCCESS);
}
