/* workers.c - see workers.h. */
#include "workers.h"
#include "connection.h"
#include "file.h"
#include "reader.h"
#include "writer.h"
#include "server/base/memory.h"

#include <signal.h>
#include <stdio.h>

struct worker { struct workers *all; pthread_t thread; sqlite_connection connection; };

struct workers {
    job_queue         reads, writes;
    atomic_uint_fast64_t commits;
    sqlite_place     place;
    int              count, running;         /* opened; whose thread has started */
    struct worker    each[];                 /* the writer first */
};

static void *write_jobs(void *arg)
{
    struct worker *w = arg;
    for (job *group, *next; (group = job_queue_take_all(&w->all->writes, WRITER_GROUP));) {
        const int commits = writer_run(&w->connection, &group);
        atomic_fetch_add(&w->all->commits, (uint_fast64_t)commits);
        for (; group; group = next) {
            next = group->next;              /* it is the db's again at once */
            job_done(group);
        }
    }
    return NULL;
}

static void *read_jobs(void *arg)
{
    struct worker *w = arg;
    while (reader_run(&w->connection, &w->all->reads))
        ;
    return NULL;
}

/* Signals are for the loops. */
static int start_thread(struct worker *w, void *(*run)(void *), const char *name)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = -pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!err)
        pthread_setname_np(w->thread, name);
    return err;
}

int workers_start(workers **made, const char *path, int readers, uint64_t timeout_ms, char *why, size_t size)
{
    workers *w = mem_alloc(sizeof *w + (size_t)(readers + 1) * sizeof w->each[0]);
    int err = 0;

    job_queue_init(&w->reads);
    job_queue_init(&w->writes);
    for (; w->count <= readers && !err; w->count++) {
        struct worker *one = &w->each[w->count];
        one->all = w;
        const int code = sqlite_connection_open(&one->connection, path, w->count ? CONNECTION_READS : 0, timeout_ms);
        if (code)
            err = sqlite_file_error(path, code, 0, sqlite3_errmsg(one->connection.sqlite), why, size);
    }
    sqlite_place_note(&w->place, path);
    for (int i = 0; i < w->count; i++)
        w->each[i].connection.place = &w->place;
    for (; w->running <= readers && !err; w->running++) {
        err = w->running ? start_thread(&w->each[w->running], read_jobs, "sqlite reader")
                         : start_thread(&w->each[0], write_jobs, "sqlite writer");
        if (err) {
            snprintf(why, size, "cannot start a thread for %s: %s", path, uv_strerror(err));
            break;
        }
    }
    if (err) {
        workers_stop(w);
        return err;
    }
    *made = w;
    return 0;
}

void workers_stop(workers *w)
{
    job_queue_end(&w->reads);
    job_queue_end(&w->writes);
    for (int i = 0; i < w->running; i++)
        pthread_join(w->each[i].thread, NULL);
    for (int i = w->count; i-- > 0;)         /* the writer last: it can tidy up the log */
        sqlite_connection_close(&w->each[i].connection);
    sqlite_place_done(&w->place);
    job_queue_done(&w->reads);
    job_queue_done(&w->writes);
    mem_free(w);
}

job_queue *workers_line(workers *w, bool reads) { return reads ? &w->reads : &w->writes; }
const sqlite_place *workers_place(const workers *w)  { return &w->place; }
uint64_t  workers_commits(const workers *w)      { return atomic_load(&w->commits); }
