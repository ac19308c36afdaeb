/* guardian.c - see guardian.h.
 *
 *     test runner --socket--> guardian --child--> postmaster
 *
 * The guardian runs one command a byte, and answers each with a byte. It ends when the socket does,
 * or with its parent, whichever is seen first: a test forked from the runner holds the socket too. */
#include "guardian.h"
#include "quick_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pwd.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START = 's', FAST = 'f', IMMEDIATE = 'i', DONE = '.', FAILED = '!' };

static volatile sig_atomic_t orphaned;
static void on_parent_gone(int signal) { (void)signal; orphaned = 1; }

/* Until the guardian is done nobody else is given that port, whether the server runs or not: which may listen there beside
 * this socket, for both have said that the address may be used again. */
static void reserve_port(guardian *g)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    g->reserved = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (setsockopt(g->reserved, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) ||
        bind(g->reserved, (struct sockaddr *)&a, size) || getsockname(g->reserved, (struct sockaddr *)&a, &size))
        abort();
    g->port = ntohs(a.sin_port);
}

/* The newest of the installed versions, as Debian lays them out. */
static int find_binaries(char *bin, size_t size)
{
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found))
        return -1;
    const char *last = found.gl_pathv[found.gl_pathc - 1];
    snprintf(bin, size, "%.*s", (int)(strrchr(last, '/') - last), last);
    globfree(&found);
    return 0;
}

static const struct passwd *unprivileged(void)
{
    if (geteuid() != 0)
        return NULL;                         /* we are it */
    const struct passwd *user = getpwnam("postgres");
    return user ? user : getpwnam("nobody");
}

/* In a child: run argv as the unprivileged user, quietly; it dies with its parent. */
static pid_t spawn(const guardian *g, char *const argv[])
{
    const pid_t parent = getpid(), pid = fork();
    if (pid)
        return pid;

    char log[128];
    snprintf(log, sizeof log, "%s/log", g->folder);
    const struct passwd *user = unprivileged();
    if (user && (setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid)))
        _exit(126);
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), in = open("/dev/null", O_RDONLY);
    if (chdir(g->folder) || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);        /* after setuid, which clears it */
    if (getppid() != parent)
        _exit(126);
    char *environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", NULL };
    execve(argv[0], argv, environment);
    _exit(127);
}

static int run(const guardian *g, char *const argv[])
{
    int status;
    const pid_t pid = spawn(g, argv);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static int append(const char *folder, const char *name, const char *mode, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, mode);
    return !f || fputs(text, f) == EOF || fclose(f) ? -1 : 0;
}

static const char ACCESS[] = "host  all all    127.0.0.1/32 trust\n"
                             "local all all                 trust\n";

static int initdb(const guardian *g)
{
    char program[300];
    snprintf(program, sizeof program, "%s/initdb", g->bin);
    char *argv[] = { program, "-D", (char *)g->data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                     "--locale=C.UTF-8", "-N", NULL };
    return run(g, argv);
}

/* A copy of the data that initdb makes in two seconds, once for all servers of this program. */
static int make(const guardian *g, const guardian *model)
{
    char settings[512];
    char *argv[] = { "/bin/cp", "-R", (char *)model->data, (char *)g->data, NULL };
    if (run(g, argv))
        return -1;
    snprintf(settings, sizeof settings,
             "port = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n"
             "fsync = off\nautovacuum = off\nshared_buffers = 16MB\nmax_connections = 50\n"
             "%s\njit = off\nmax_prepared_transactions = 2\n",
             g->port, g->folder,
             g->followed ? "max_wal_senders = 4\nwal_level = replica" : "max_wal_senders = 0\nwal_level = minimal");
    if (append(g->data, "postgresql.conf", "a", settings))
        return -1;
    return append(g->data, "pg_hba.conf", "w",
                  g->followed ? "local replication postgres     trust\n" : "") ||
           append(g->data, "pg_hba.conf", "a", "host  all locked 127.0.0.1/32 scram-sha-256\n") ||
           append(g->data, "pg_hba.conf", "a", ACCESS);
}

/* A backup of the primary's, which streams from it. */
static int copy(const guardian *g, const guardian *primary)
{
    char backup[300], port[16], settings[512];
    snprintf(backup, sizeof backup, "%s/pg_basebackup", g->bin);
    snprintf(port, sizeof port, "%d", primary->port);
    char *argv[] = { backup, "-D", (char *)g->data, "-h", (char *)primary->folder, "-p", port, "-U", "postgres",
                     "-X", "stream", "-c", "fast", "-N", NULL };
    if (run(g, argv))
        return -1;
    snprintf(settings, sizeof settings, "port = %d\nunix_socket_directories = '%s'\n"
             "primary_conninfo = 'host=%s port=%d user=postgres application_name=standby'\n",
             g->port, g->folder, primary->folder, primary->port);
    return append(g->data, "postgresql.conf", "a", settings) || append(g->data, "standby.signal", "w", "");
}

void guardian_conninfo(const guardian *g, const char *database, char *conninfo, size_t size)
{
    snprintf(conninfo, size, "host=%s port=%d user=postgres dbname=%s", g->folder, g->port, database);
}

static int start(const guardian *g, pid_t *postmaster)
{
    char postgres[300], conninfo[256];
    snprintf(postgres, sizeof postgres, "%s/postgres", g->bin);
    char *argv[] = { postgres, "-D", (char *)g->data, NULL };
    guardian_conninfo(g, "postgres", conninfo, sizeof conninfo);
    *postmaster = spawn(g, argv);
    for (int tries = 0; tries < 6000; tries++) {
        if (PQping(conninfo) == PQPING_OK)
            return 0;
        if (waitpid(*postmaster, NULL, WNOHANG) == *postmaster)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
    *postmaster = 0;
    return -1;
}

static void stop(pid_t *postmaster, int signal)
{
    kill(*postmaster, SIGCONT);              /* a test may have left it stopped */
    kill(*postmaster, signal);
    while (waitpid(*postmaster, NULL, 0) < 0 && errno == EINTR)
        ;
    *postmaster = 0;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s, (void)type, (void)ftw;
    return remove(path);
}

static void guard(const guardian *g, int commands)
{
    pid_t postmaster = 0;
    char command;
    sigset_t none;
    sigemptyset(&none);

    while (!orphaned) {
        if (ppoll(&(struct pollfd){ .fd = commands, .events = POLLIN }, 1, NULL, &none) < 0)
            continue;
        if (read(commands, &command, 1) <= 0)
            break;
        int err = 0;
        if (command == START && !postmaster)
            err = start(g, &postmaster);
        else if (command != START && postmaster)
            stop(&postmaster, command == FAST ? SIGINT : SIGQUIT);
        command = err ? FAILED : DONE;
        if (write(commands, &command, 1) != 1)
            break;
    }
    if (postmaster)
        stop(&postmaster, SIGQUIT);
    nftw(g->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int order(guardian *g, char command)
{
    return write(g->commands, &command, 1) == 1 && read(g->commands, &command, 1) == 1 &&
           command == DONE ? 0 : -1;
}

int guardian_start(guardian *g) { return order(g, START); }
int guardian_stop(guardian *g)  { return order(g, FAST); }
int guardian_crash(guardian *g) { return order(g, IMMEDIATE); }

/* Signals are only let in while the guardian waits, so that none comes unseen in between. */
static int summon(guardian *g)
{
    int ends[2];
    const pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    g->process = fork();
    if (g->process == 0) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_parent_gone }, NULL);
        signal(SIGINT, SIG_IGN);             /* Ctrl-C is the runner's */
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(ends[0]);
        if (getppid() == parent)
            guard(g, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    g->commands = ends[0];
    return g->process < 0 ? -1 : 0;
}

/* The folder, and the process that removes it in the end. */
static int begin(guardian *g)
{
    const struct passwd *user = unprivileged();

    if (find_binaries(g->bin, sizeof g->bin)) {
        fprintf(stderr, "cluster: PostgreSQL's server is not installed\n");
        return -1;
    }
    reserve_port(g);
    snprintf(g->folder, sizeof g->folder, "%s/cluster.XXXXXX", quick_folder());
    if (!mkdtemp(g->folder) || (user && chown(g->folder, user->pw_uid, user->pw_gid)))
        abort();
    snprintf(g->data, sizeof g->data, "%s/data", g->folder);
    if (summon(g))
        abort();
    return 0;
}

/* Data of a server that is never started; it goes with the process that asked for it first. NULL if there can be none. */
static const guardian *model(void)
{
    static guardian kept;
    guardian g = { 0 };
    if (kept.process)
        return &kept;
    if (begin(&g))
        return NULL;
    if (initdb(&g)) {
        fprintf(stderr, "cluster: initdb fails\n");
        guardian_done(&g);
        return NULL;
    }
    kept = g;
    return &kept;
}

int guardian_init(guardian *g, bool followed, const guardian *primary)
{
    const guardian *copied = primary ? primary : model();

    *g = (guardian){ .followed = followed };
    if (!copied || begin(g))
        return -1;
    if ((primary ? copy(g, primary) : make(g, copied)) || guardian_start(g)) {
        fprintf(stderr, "cluster: PostgreSQL's server does not start\n");
        guardian_done(g);
        return -1;
    }
    return 0;
}

void guardian_done(guardian *g)
{
    close(g->commands);
    close(g->reserved);
    while (waitpid(g->process, NULL, 0) < 0 && errno == EINTR)
        ;
}
