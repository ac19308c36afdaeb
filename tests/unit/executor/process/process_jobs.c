/* process_jobs.c - see process_jobs.h. */
#include "process_jobs.h"
#include "server/executor/process/process.h"
#include "server/executor/process/message.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static int echo(text in, buffer *out)
{
    buffer_text(out, in);
    return 0;
}

static int tell_pid(text in, buffer *out)
{
    const pid_t pid = getpid();
    (void)in;
    buffer_text(out, (text){ (const char *)&pid, sizeof pid });
    return 0;
}

static int go_wrong(text in, buffer *out)
{
    (void)in;
    buffer_text(out, TEXT("not this"));
    return UV_EIO;
}

static int take(text in, buffer *out)
{
    enum { HALF = 32 << 20 };
    (void)in;
    (void)out;
    char *volatile p = malloc(HALF);
    memset(p, 1, HALF);
    free(p);
    return 0;
}

static int write_too_much(text in, buffer *out)
{
    (void)in;
    char piece[65536] = { 0 };
    while (out->length <= PROCESS_LARGEST)
        buffer_text(out, (text){ piece, sizeof piece });
    return 0;
}

static int crash(text in, buffer *out)
{
    (void)in;
    (void)out;
    signal(SIGSEGV, SIG_DFL);                /* without a sanitizer's report */
    raise(SIGSEGV);
    return 0;
}

static int stop_short(text in, buffer *out)
{
    (void)in;
    (void)out;
    signal(SIGABRT, SIG_DFL);
    abort();
}

static int leave(text in, buffer *out)
{
    (void)in;
    (void)out;
    _exit(3);
}

static int spin(text in, buffer *out)
{
    volatile bool enough = false;
    (void)in;
    (void)out;
    while (!enough)
        ;
    return 0;
}

static int leak(text in, buffer *out)
{
    (void)in;
    (void)out;
    for (;;) {
        char *volatile p = malloc(1 << 20);
        if (!p)
            abort();
        memset(p, 1, 1 << 20);
    }
}

static int say(const void *at, size_t length)
{
    return send(PROCESS_SOCKET, at, length, MSG_NOSIGNAL) < 0 ? UV_EIO : 0;
}

static int write_garbage(text in, buffer *out)
{
    (void)in;
    (void)out;
    return say("This is no answer at all.", 25);
}

/* An answer, but for its first bytes. */
static int write_strange(text in, buffer *out)
{
    const process_header h = { PROCESS_MAGIC + 1, 0, 0 };
    (void)in;
    (void)out;
    return say(&h, sizeof h);
}

static int fail_at_length(text in, buffer *out)
{
    const struct { process_header h; char more[8]; } all = { { PROCESS_MAGIC, UV_EIO, 8 }, "failed." };
    (void)in;
    (void)out;
    return say(&all, sizeof all.h + sizeof all.more);
}

static int promise_too_much(text in, buffer *out)
{
    const process_header h = { PROCESS_MAGIC, 0, UINT64_MAX };
    (void)in;
    (void)out;
    return say(&h, sizeof h);
}

static int succeed_too_well(text in, buffer *out)
{
    (void)in;
    (void)out;
    return 1;
}

/* A good answer, and behind it the one that follows by itself. */
static int answer_twice(text in, buffer *out)
{
    const process_header h = { PROCESS_MAGIC, 0, 0 };
    (void)in;
    (void)out;
    return say(&h, sizeof h);
}

static int tell_possessions(text in, buffer *out)
{
    struct sigaction term, interrupt;
    int most = 0;
    (void)in;
    DIR *d = opendir("/proc/self/fd");
    for (const struct dirent *e; d && (e = readdir(d));)
        if (atoi(e->d_name) > most && atoi(e->d_name) != dirfd(d))
            most = atoi(e->d_name);
    if (d)
        closedir(d);
    sigaction(SIGTERM, NULL, &term);
    sigaction(SIGINT, NULL, &interrupt);
    buffer_printf(out, "descriptors 0-%d, SIGTERM %s, SIGINT %s, %s", most,
                  term.sa_handler == SIG_DFL ? "default" : "handled",
                  interrupt.sa_handler == SIG_IGN ? "ignored" : "handled", getenv("SECRET") ? "a secret" : "no secret");
    return 0;
}

const process_job TEST_ECHO        = { "echo", echo },
                  TEST_PID         = { "pid", tell_pid },
                  TEST_FAIL        = { "fail", go_wrong },
                  TEST_TAKE        = { "take", take },
                  TEST_TOO_MUCH    = { "too much", write_too_much },
                  TEST_POSSESSIONS = { "possessions", tell_possessions },
                  TEST_CRASH       = { "crash", crash },
                  TEST_ABORT       = { "abort", stop_short },
                  TEST_EXIT        = { "exit", leave },
                  TEST_SPIN        = { "spin", spin },
                  TEST_LEAK        = { "leak", leak },
                  TEST_GARBAGE     = { "garbage", write_garbage },
                  TEST_STRANGE     = { "strange", write_strange },
                  TEST_LONG_ERROR  = { "long error", fail_at_length },
                  TEST_HUGE        = { "huge", promise_too_much },
                  TEST_POSITIVE    = { "positive", succeed_too_well },
                  TEST_CHATTY      = { "chatty", answer_twice };

const process_job *const TEST_JOBS[] = {
    &TEST_ECHO, &TEST_PID, &TEST_FAIL, &TEST_TAKE, &TEST_TOO_MUCH, &TEST_POSSESSIONS, &TEST_CRASH, &TEST_ABORT,
    &TEST_EXIT, &TEST_SPIN, &TEST_LEAK, &TEST_GARBAGE, &TEST_STRANGE, &TEST_LONG_ERROR, &TEST_HUGE, &TEST_POSITIVE,
    &TEST_CHATTY,
};
const int TEST_JOB_COUNT = sizeof TEST_JOBS / sizeof TEST_JOBS[0];

static char folder[64];

void process_jobs_prevent(void)
{
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/tenk-no-start-XXXXXX");
    if (!mkdtemp(folder))
        perror(folder);
    snprintf(path, sizeof path, "%s/libuv.so.1", folder);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    setenv("LD_LIBRARY_PATH", folder, 1);
}

void process_jobs_allow(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/libuv.so.1", folder);
    unsetenv("LD_LIBRARY_PATH");
    unlink(path);
    rmdir(folder);
}
