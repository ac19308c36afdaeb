/* server.c - starts, watches and stops the server under test. */
#include "server.h"

#include "client.h"
#include "launch.h"

#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

server here;
int server_fixture_failures;

enum { MOST_WORDS = 40 };

typedef struct words {                       /* what a process is started with; terminated */
    char *argument[MOST_WORDS], *environment[MOST_WORDS];
    int   arguments, environments;
} words;

static char *printed(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        abort();
    va_end(list);
    return text;
}

bool in_threads_mode(void)
{
    const char *mode = getenv("MODE");
    return mode && strcmp(mode, "threads") == 0;
}

/* Where the setting of that name is; the end, if it is not there. */
static int find_environment(const words *w, const char *setting)
{
    const size_t name = strcspn(setting, "=") + 1;
    int i = 0;
    while (i < w->environments && strncmp(w->environment[i], setting, name) != 0)
        i++;
    return i;
}

static void add_environment(words *w, const char *setting)
{
    const int i = find_environment(w, setting);
    ck_assert_int_lt(i, MOST_WORDS - 1);
    if (i == w->environments)
        w->environments++;
    else
        free(w->environment[i]);
    w->environment[i] = strdup(setting);
}

static void add_own_environment(words *w)
{
    static const char *const kept[] = {
        "PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS",
    };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (getenv(kept[i])) {
            char *setting = printed("%s=%s", kept[i], getenv(kept[i]));
            add_environment(w, setting);
            free(setting);
        }
}

static void add_files_root(words *w)
{
    char *setting = printed("TENK_FILES_ROOT=%s/static", run_folder());
    add_environment(w, setting);
    free(setting);
}

static void add_words(words *w, va_list list)
{
    for (const char *word; (word = va_arg(list, const char *));)
        if (isupper((unsigned char)word[0]) && strchr(word, '=')) {
            add_environment(w, word);
        } else {
            ck_assert_int_lt(w->arguments, MOST_WORDS - 1);
            w->argument[w->arguments++] = strdup(word);
        }
}

static void words_done(words *w)
{
    for (int i = 0; i < w->arguments; i++)
        free(w->argument[i]);
    for (int i = 0; i < w->environments; i++)
        free(w->environment[i]);
}

static pid_t launch(const words *w, const terms *t, const char *folder, int output)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0)                             /* not asserted: that takes a lock, which another thread may have had at the fork */
        ck_abort_msg("cannot start a process: %s", strerror(errno));
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir(folder))
        _exit(126);
    setpgid(0, 0);                           /* a terminal's ^C is for the tests */
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(output, 1);
    dup2(output, 2);
    terms_apply(t);
    char *environment[MOST_WORDS + 2];
    memcpy(environment, w->environment, sizeof w->environment);
    if (t->listening) {
        dup2(t->listening, 3);
        fcntl(3, F_SETFD, 0);                /* if it had that number before */
        int count = w->environments;
        environment[count++] = "LISTEN_FDS=1";
        if (find_environment(w, "LISTEN_PID=") == w->environments)       /* a shell takes the last, getenv the first */
            environment[count++] = printed("LISTEN_PID=%d", (int)getpid());
        environment[count] = NULL;
    }
    syscall(SYS_close_range, t->listening ? 4u : 3u, ~0u, 0u);
    execve(run_binary(), w->argument, environment);
    dprintf(2, "%s: %s\n", run_binary(), strerror(errno));
    _exit(127);
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    if (f && getdelim(&text, &size, '\0', f) < 0)
        text[0] = '\0';
    if (f)
        fclose(f);
    return text ? text : strdup("");
}

static char *log_text(void)
{
    char *path = printed("%s/log", here.folder);
    char *text = slurp(path);
    free(path);
    return text;
}

bool server_file_has(const server *s, const char *file, const char *text)
{
    char *path = printed("%s/%s", s->folder, file), *all = slurp(path);
    const bool has = strstr(all, text) != NULL;
    free(path);
    free(all);
    return has;
}

bool server_log_has(const char *text) { return server_file_has(&here, "log", text); }

bool server_says(const char *text) { return eventually(5, server_log_has(text)); }

/* The start line names the address, and that of a second server; it is whole when its end is there. */
static int port_in_log(bool second)
{
    char *log = log_text();
    int port = 0;
    const char *at = strstr(log, second ? " and http://" : "http://");
    const char *end = at ? strstr(at, ", ") : NULL;          /* what follows the address */
    if (end && strchr(at, '\n'))
        port = atoi((const char *)memrchr(at, ':', (size_t)(end - at)) + 1);
    free(log);
    return port;
}

int server_second_port(void) { return port_in_log(true); }

/* Ready, or dead, which the caller sees from the port. */
static bool up(void)
{
    siginfo_t info = { 0 };
    here.port = port_in_log(false);
    return here.port ||
           (waitid(P_PID, (id_t)here.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid);
}

static void start(const char *name, const char *database, va_list list)
{
    words w = { 0 };
    const terms t = next_terms();
    here = (server){ 0 };
    snprintf(here.folder, sizeof here.folder, "%s/%s-XXXXXX", run_folder(), name);
    ck_assert_ptr_nonnull(mkdtemp(here.folder));
    add_own_environment(&w);
    add_environment(&w, "PORT=0");
    add_environment(&w, "WEB_CONCURRENCY=1");
    if (in_threads_mode())
        add_environment(&w, "TENK_SERVER_MODE=threads");
    char *setting = printed("DATABASE_URL=%s", database);
    add_environment(&w, setting);
    free(setting);
    add_files_root(&w);
    w.argument[w.arguments++] = strdup(run_binary());
    add_words(&w, list);

    const bool own_file = strcmp(database, "sqlite:tenk.db") == 0;
    for (int i = 0; own_file && i < w.environments; i++)
        if (strcmp(w.environment[i], "DATABASE_URL=sqlite:tenk.db") == 0)
            run_copy_database(here.folder);
    char *path = printed("%s/log", here.folder);
    const int output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    free(path);
    here.pid = launch(&w, &t, here.folder, output);
    close(output);
    words_done(&w);
    const bool in_time = eventually(60, up());
    if (!here.port) {
        char *log = log_text();
        const pid_t pid = here.pid;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        here.pid = 0;
        fprintf(stderr, "%s: no start line: %s\n%s\n", name, in_time ? "it ended" : "too late", log);
        free(log);
        ck_abort_msg("the server did not start");
    }
}

void server_start(const char *name, ...)
{
    va_list list;
    va_start(list, name);
    start(name, "sqlite:tenk.db", list);
    va_end(list);
}

void server_start_on_postgres(const char *name, ...)
{
    va_list list;
    va_start(list, name);
    start(name, postgres_url(), list);
    va_end(list);
}

void server_signal(int signal) { kill(here.pid, signal); }

static bool ended(int *status) { return waitpid(here.pid, status, WNOHANG) == here.pid; }

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool server_running(void)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)here.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

int server_wait(void)
{
    int status = 0;
    if (!eventually(30, ended(&status))) {
        kill(here.pid, SIGKILL);
        waitpid(here.pid, &status, 0);
        here.pid = 0;
        ck_abort_msg("the server does not end");
    }
    here.pid = 0;
    return code_of(status);
}

/* But for the one that the gallery of patterns forgets, to have it found. */
static bool forgot_a_promise(void)
{
    char *log = log_text(), *rest;
    bool forgot = false;
    for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        forgot |= strstr(line, "never awaited") && !strstr(line, "pitfall_forgotten.c");
    free(log);
    return forgot;
}

static const char *complaint(void)
{
    static const char *const signs[] = {
        "AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "==ERROR",
        "Assertion",
    };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (server_log_has(signs[i]))
            return signs[i];
    return forgot_a_promise() ? "never awaited" : NULL;
}

static bool stopped_well(int *code)
{
    int status = 0;
    if (here.pid == 0)
        return true;
    kill(here.pid, SIGTERM);
    const bool in_time = eventually(20, ended(&status));
    if (!in_time) {
        kill(here.pid, SIGKILL);
        waitpid(here.pid, &status, 0);
    }
    here.pid = 0;
    *code = code_of(status);
    return *code == 0 && !complaint();
}

void server_stop(void)
{
    int code = 0;
    if (!stopped_well(&code))
        ck_abort_msg("on SIGTERM the server ended with %d, and has said: %s", code,
                     complaint() ? complaint() : "nothing");
    run_remove(here.folder);
}

void server_fixture_stop(void)
{
    int code = 0;
    if (!stopped_well(&code)) {
        server_fixture_failures++;
        char *log = log_text();
        const size_t length = strlen(log);
        fprintf(stderr, "%s: on SIGTERM the server ended with %d, and has said: %s\n%s\n",
                here.folder, code, complaint() ? complaint() : "nothing",
                length > 6000 ? log + length - 6000 : log);
        free(log);
    }
}

void server_kill(void)
{
    kill(here.pid, SIGKILL);
    waitpid(here.pid, NULL, 0);
    here.pid = 0;
}

int tenk_run(char *output, size_t size, ...)
{
    words w = { 0 };
    const terms t = next_terms();
    va_list list;
    int pipes[2], status = 0;
    add_own_environment(&w);
    add_files_root(&w);
    w.argument[w.arguments++] = strdup(run_binary());
    va_start(list, size);
    add_words(&w, list);
    va_end(list);
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    const pid_t pid = launch(&w, &t, run_folder(), pipes[1]);
    close(pipes[1]);
    words_done(&w);

    const double end = granted_s() + 60;
    size_t have = 0;
    for (ssize_t n = 1; n > 0 && have + 1 < size && granted_s() < end;) {
        struct pollfd p = { .fd = pipes[0], .events = POLLIN };
        if (poll(&p, 1, 1000) > 0) {
            n = read(pipes[0], output + have, size - have - 1);
            have += n > 0 ? (size_t)n : 0;
        }
    }
    output[have] = '\0';
    close(pipes[0]);
    if (granted_s() >= end)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return code_of(status);
}
