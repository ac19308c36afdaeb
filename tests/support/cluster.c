/* cluster.c - see cluster.h. */
#include "cluster.h"
#include "guardian.h"

#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cluster {
    guardian guardian;
    char     url[128], socket_url[256], answer[4096];
};

static cluster *new_cluster(bool followed, const cluster *primary)
{
    cluster *c = calloc(1, sizeof *c);
    guardian *g = &c->guardian;

    if (guardian_init(g, followed, primary ? &primary->guardian : NULL)) {
        free(c);
        return NULL;
    }
    snprintf(c->url, sizeof c->url, "postgresql://tenk@127.0.0.1:%d/tenk", g->port);
    snprintf(c->socket_url, sizeof c->socket_url, "host=%s port=%d user=tenk dbname=tenk", g->folder, g->port);
    if (primary)
        return c;
    char conninfo[256];
    guardian_conninfo(g, "postgres", conninfo, sizeof conninfo);
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
    guardian_done(&c->guardian);
    free(c);
}

static void must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "cluster: cannot %s\n", what);
        abort();
    }
}

void cluster_start(cluster *c) { must(guardian_start(&c->guardian), "start"); }
void cluster_stop(cluster *c)  { must(guardian_stop(&c->guardian), "stop"); }
void cluster_crash(cluster *c) { must(guardian_crash(&c->guardian), "crash"); }

const char *cluster_url(const cluster *c)        { return c->url; }
const char *cluster_socket_url(const cluster *c) { return c->socket_url; }
int         cluster_port(const cluster *c)       { return c->guardian.port; }

pid_t cluster_pid(const cluster *c)
{
    char path[128];
    int pid = 0;
    snprintf(path, sizeof path, "%s/postmaster.pid", c->guardian.data);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    return pid;
}

/* The postmaster first: so it makes no more of them meanwhile. */
static void signal_all(const cluster *c, int signal)
{
    char path[64];
    pid_t pid = cluster_pid(c);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *children = pid ? fopen(path, "r") : NULL;
    if (!children)
        return;
    kill(pid, signal);
    while (fscanf(children, "%d", &pid) == 1)
        kill(pid, signal);
    fclose(children);
}

void cluster_halt(const cluster *c)   { signal_all(c, SIGSTOP); }
void cluster_resume(const cluster *c) { signal_all(c, SIGCONT); }

/* A server that has lost a backend by a signal takes nobody while it recovers. */
static PGconn *connected(cluster *c)
{
    char conninfo[256];
    guardian_conninfo(&c->guardian, "tenk", conninfo, sizeof conninfo);
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
    for (ask(c, pg, sql); strcmp(c->answer, answer) != 0; ask(c, pg, sql))
        poll(NULL, 0, 1);
    PQfinish(pg);
}

int cluster_log_times(const cluster *c, const char *part)
{
    char path[128], line[1024];
    int times = 0;
    snprintf(path, sizeof path, "%s/log", c->guardian.folder);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        times += strstr(line, part) != NULL;
    if (f)
        fclose(f);
    return times;
}
