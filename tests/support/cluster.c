/* cluster.c - see cluster.h.
 *
 *     test runner --socket--> guardian --child--> postmaster
 *
 * The guardian runs one command a byte, and answers each with a byte. It ends when the socket does,
 * or with its parent, whichever is seen first: a test forked from the runner holds the socket too. */
#include "cluster.h"

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
#include <stdbool.h>
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

struct cluster {
    char  folder[64], data[80], bin[256], url[128], socket_url[256], answer[4096];
    int   port;
    bool  followed;                          /* another one may follow it */
    int   commands;                          /* to the guardian */
    pid_t guardian;
};

static volatile sig_atomic_t orphaned;
static void on_parent_gone(int signal) { (void)signal; orphaned = 1; }

static int free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&a, size) || getsockname(fd, (struct sockaddr *)&a, &size))
        abort();
    close(fd);
    return ntohs(a.sin_port);
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
static pid_t spawn(const cluster *c, char *const argv[])
{
    const pid_t parent = getpid(), pid = fork();
    if (pid)
        return pid;

    char log[128];
    snprintf(log, sizeof log, "%s/log", c->folder);
    const struct passwd *user = unprivileged();
    if (user && (setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid)))
        _exit(126);
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), in = open("/dev/null", O_RDONLY);
    if (chdir(c->folder) || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
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

static int run(const cluster *c, char *const argv[])
{
    int status;
    const pid_t pid = spawn(c, argv);
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

static int make(const cluster *c)
{
    char initdb[300], settings[512];
    snprintf(initdb, sizeof initdb, "%s/initdb", c->bin);
    char *argv[] = { initdb, "-D", (char *)c->data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                     "--locale=C.UTF-8", "-N", NULL };
    if (run(c, argv))
        return -1;
    snprintf(settings, sizeof settings,
             "port = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n"
             "fsync = off\nautovacuum = off\nshared_buffers = 16MB\nmax_connections = 50\n"
             "%s\njit = off\nmax_prepared_transactions = 2\n",
             c->port, c->folder,
             c->followed ? "max_wal_senders = 4\nwal_level = replica" : "max_wal_senders = 0\nwal_level = minimal");
    if (append(c->data, "postgresql.conf", "a", settings))
        return -1;
    return append(c->data, "pg_hba.conf", "w",
                  c->followed ? "local replication postgres     trust\n" : "") ||
           append(c->data, "pg_hba.conf", "a", "host  all locked 127.0.0.1/32 scram-sha-256\n") ||
           append(c->data, "pg_hba.conf", "a", ACCESS);
}

/* A backup of the primary's, which streams from it. */
static int copy(const cluster *c, const cluster *primary)
{
    char backup[300], port[16], settings[512];
    snprintf(backup, sizeof backup, "%s/pg_basebackup", c->bin);
    snprintf(port, sizeof port, "%d", primary->port);
    char *argv[] = { backup, "-D", (char *)c->data, "-h", (char *)primary->folder, "-p", port, "-U", "postgres",
                     "-X", "stream", "-c", "fast", "-N", NULL };
    if (run(c, argv))
        return -1;
    snprintf(settings, sizeof settings, "port = %d\nunix_socket_directories = '%s'\n"
             "primary_conninfo = 'host=%s port=%d user=postgres application_name=standby'\n",
             c->port, c->folder, primary->folder, primary->port);
    return append(c->data, "postgresql.conf", "a", settings) || append(c->data, "standby.signal", "w", "");
}

static void superuser(const cluster *c, const char *database, char *conninfo, size_t size)
{
    snprintf(conninfo, size, "host=%s port=%d user=postgres dbname=%s", c->folder, c->port, database);
}

static int start(const cluster *c, pid_t *postmaster)
{
    char postgres[300], conninfo[256];
    snprintf(postgres, sizeof postgres, "%s/postgres", c->bin);
    char *argv[] = { postgres, "-D", (char *)c->data, NULL };
    superuser(c, "postgres", conninfo, sizeof conninfo);
    *postmaster = spawn(c, argv);
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

static void guard(const cluster *c, int commands)
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
            err = start(c, &postmaster);
        else if (command != START && postmaster)
            stop(&postmaster, command == FAST ? SIGINT : SIGQUIT);
        command = err ? FAILED : DONE;
        if (write(commands, &command, 1) != 1)
            break;
    }
    if (postmaster)
        stop(&postmaster, SIGQUIT);
    nftw(c->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int order(cluster *c, char command)
{
    return write(c->commands, &command, 1) == 1 && read(c->commands, &command, 1) == 1 &&
           command == DONE ? 0 : -1;
}

/* Signals are only let in while the guardian waits, so that none comes unseen in between. */
static int summon(cluster *c)
{
    int ends[2];
    const pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    c->guardian = fork();
    if (c->guardian == 0) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_parent_gone }, NULL);
        signal(SIGINT, SIG_IGN);             /* Ctrl-C is the runner's */
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(ends[0]);
        if (getppid() == parent)
            guard(c, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    c->commands = ends[0];
    return c->guardian < 0 ? -1 : 0;
}

static cluster *new_cluster(bool followed, const cluster *primary)
{
    cluster *c = calloc(1, sizeof *c);
    const struct passwd *user = unprivileged();

    if (find_binaries(c->bin, sizeof c->bin)) {
        fprintf(stderr, "cluster: PostgreSQL's server is not installed\n");
        free(c);
        return NULL;
    }
    c->port = free_port();
    snprintf(c->folder, sizeof c->folder, "/tmp/cluster.XXXXXX");
    if (!mkdtemp(c->folder) || (user && chown(c->folder, user->pw_uid, user->pw_gid)))
        abort();
    snprintf(c->data, sizeof c->data, "%s/data", c->folder);
    snprintf(c->url, sizeof c->url, "postgresql://tenk@127.0.0.1:%d/tenk", c->port);
    snprintf(c->socket_url, sizeof c->socket_url, "host=%s port=%d user=tenk dbname=tenk", c->folder, c->port);
    c->followed = followed;
    if (summon(c))
        abort();
    if ((primary ? copy(c, primary) : make(c)) || order(c, START)) {
        fprintf(stderr, "cluster: PostgreSQL's server does not start\n");
        cluster_free(c);
        return NULL;
    }
    if (primary)
        return c;
    char conninfo[256];
    superuser(c, "postgres", conninfo, sizeof conninfo);
    PGconn *pg = PQconnectdb(conninfo);
    static const char *const roles[] = { "create role tenk login", "create role guest login",
                                         "create role locked login password 'sesame'",
                                         "create database tenk owner tenk" };
    for (int i = 0; i < 4; i++)
        PQclear(PQexec(pg, roles[i]));
    PQfinish(pg);
    return c;
}

cluster *cluster_new(void)         { return new_cluster(false, NULL); }
cluster *cluster_new_primary(void) { return new_cluster(true, NULL); }

cluster *cluster_new_standby(cluster *primary)
{
    cluster *c = new_cluster(false, primary);
    if (c) {
        cluster_ask(primary, "alter system set synchronous_standby_names = 'standby'");
        cluster_ask(primary, "select pg_reload_conf()");
        cluster_wait(primary, "select count(*) from pg_stat_replication where sync_state = 'sync'", "1");
    }
    return c;
}

void cluster_promote(cluster *standby)
{
    cluster_ask(standby, "select pg_promote()");
    cluster_wait(standby, "select pg_is_in_recovery()", "f");
}

void cluster_free(cluster *c)
{
    close(c->commands);
    while (waitpid(c->guardian, NULL, 0) < 0 && errno == EINTR)
        ;
    free(c);
}

static void must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "cluster: cannot %s\n", what);
        abort();
    }
}

void cluster_start(cluster *c) { must(order(c, START), "start"); }
void cluster_stop(cluster *c)  { must(order(c, FAST), "stop"); }
void cluster_crash(cluster *c) { must(order(c, IMMEDIATE), "crash"); }

const char *cluster_url(const cluster *c)        { return c->url; }
const char *cluster_socket_url(const cluster *c) { return c->socket_url; }
int         cluster_port(const cluster *c)       { return c->port; }

pid_t cluster_pid(const cluster *c)
{
    char path[128];
    int pid = 0;
    snprintf(path, sizeof path, "%s/postmaster.pid", c->data);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    return pid;
}

/* A server that has lost a backend by a signal takes nobody while it recovers. */
static PGconn *connected(cluster *c)
{
    char conninfo[256];
    superuser(c, "tenk", conninfo, sizeof conninfo);
    PGconn *pg = PQconnectdb(conninfo);
    for (int tries = 0; PQstatus(pg) != CONNECTION_OK && tries < 500; tries++) {
        poll(NULL, 0, 20);
        PQreset(pg);
    }
    return pg;
}

static void ask(cluster *c, PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK) {
        fprintf(stderr, "cluster: %s%s", PQresultErrorMessage(r), PQerrorMessage(pg));
        abort();
    }
    snprintf(c->answer, sizeof c->answer, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
}

const char *cluster_ask(cluster *c, const char *sql)
{
    PGconn *pg = connected(c);
    ask(c, pg, sql);
    PQfinish(pg);
    return c->answer;
}

void cluster_wait(cluster *c, const char *sql, const char *answer)
{
    PGconn *pg = connected(c);
    for (ask(c, pg, sql); strcmp(c->answer, answer); ask(c, pg, sql))
        poll(NULL, 0, 1);
    PQfinish(pg);
}

int cluster_log_times(const cluster *c, const char *part)
{
    char path[128], line[1024];
    int times = 0;
    snprintf(path, sizeof path, "%s/log", c->folder);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        times += strstr(line, part) != NULL;
    if (f)
        fclose(f);
    return times;
}
