/* workers.c - see workers.h.
 *
 * A statement by itself is a transaction: SQLite locks the file for it, looks whether there is a log,
 * and unlocks, which are six system calls. Reads that wait at the same moment share one. A job that
 * comes later never does: it must see every write that was acknowledged before it was asked. */
#include "workers.h"
#include "connection.h"
#include "file.h"
#include "writer.h"
#include "server/base/memory.h"
#include "server/base/observe/at_work.h"
#include "server/base/thread.h"

#include <stdio.h>

typedef struct sqlite_worker {
    struct sqlite_workers *all;
    pthread_t              thread;
    at_work                at_work;
    sqlite_connection      connection;
} sqlite_worker;

struct sqlite_workers {
    sqlite_job_queue      reads, writes;
    atomic_uint_fast64_t  commits;
    sqlite_file_identity  file;
    channels             *heard;
    int                   count, running;    /* opened; whose thread has started */
    sqlite_worker         each[];            /* the writer first */
};

/* Fewer writers than that are not waited for; and for how many nanoseconds at most. */
enum { FEWEST = 4, MOST_PATIENCE = 5000000 };

static const statement BEGIN = { "begin", "begin", true };
static const statement END   = { "end", "end", true };

/* A blocking thread's has no promise. */
static void worker_note_begin(sqlite_worker *w, sqlite_job *j)
{
    sqlite_job_note_begin(j, (int)(w - w->all->each) + 1);
    at_work_on(&w->at_work, j->statement->name, j->promise ? promise_is_for(j->promise).label : 0, j->began);
}

/* For how many the writer waits, and until when. */
typedef struct gathering {
    int      wanted;                         /* those of the last group, and who waited behind them */
    uint64_t usual;                          /* nanoseconds of a commit, smoothed */
    uint64_t until;                          /* by uv_hrtime */
} gathering;

/* A group of so many is over, which has taken so long to commit, and so many wait already. */
static void gathering_note(gathering *g, int count, int left, uint64_t took)
{
    g->wanted = count + left < SQLITE_WRITER_GROUP ? count + left : SQLITE_WRITER_GROUP;
    g->usual = g->usual ? (7 * g->usual + took) / 8 : took;
    const uint64_t patience = g->usual / 2 < MOST_PATIENCE ? g->usual / 2 : MOST_PATIENCE;
    g->until = g->wanted < FEWEST ? 0 : uv_hrtime() + patience;
}

/* The group is everybody's own again, one by one. How many they were. */
static int report_group(sqlite_worker *w, sqlite_job *group)
{
    int count = 0;
    for (sqlite_job *next; group; group = next, count++) {
        next = group->next;                  /* it is the db's again at once */
        sqlite_job_note_end(group);
        sqlite_job_tell(group, w->all->heard);
        sqlite_job_done(group);
    }
    return count;
}

static void *write_jobs(void *arg)
{
    sqlite_worker *w = arg;
    gathering g = { 0 };
    int left;
    at_work_begin(&w->at_work, "sqlite writer", 1);
    for (sqlite_job *group;
         (group = sqlite_job_queue_take_all(&w->all->writes, SQLITE_WRITER_GROUP, g.wanted, g.until, &left));) {
        uint64_t took = 0;
        for (sqlite_job *j = group; j; j = j->next)
            worker_note_begin(w, j);
        const int commits = sqlite_writer_run(&w->connection, &group, &took);
        at_work_idle(&w->at_work);
        atomic_fetch_add(&w->all->commits, (uint_fast64_t)commits);
        gathering_note(&g, report_group(w, group), left, took);
    }
    at_work_end(&w->at_work);
    return NULL;
}

static void *read_jobs(void *arg)
{
    sqlite_worker *w = arg;
    sqlite_connection *c = &w->connection;
    uint64_t newest;
    at_work_begin(&w->at_work, "sqlite reader", (int)(w - w->all->each));
    for (sqlite_job *j; (j = sqlite_job_queue_take(&w->all->reads, &newest));) {
        const bool shared = newest != j->number && sqlite_connection_execute(c, NULL, &BEGIN) == 0;
        do {
            worker_note_begin(w, j);
            j->err = sqlite_connection_run(c, j);
            at_work_idle(&w->at_work);
            sqlite_job_note_end(j);
            sqlite_job_done(j);
        } while (shared && (j = sqlite_job_queue_take_up_to(&w->all->reads, newest)));
        if (shared)
            sqlite_connection_execute(c, NULL, &END);
    }
    at_work_end(&w->at_work);
    return NULL;
}

static int start_thread(sqlite_worker *w, void *(*run)(void *), const char *name)
{
    const int err = thread_start(&w->thread, run, w);
    if (!err)
        pthread_setname_np(w->thread, name);
    return err;
}

int sqlite_workers_start(sqlite_workers **made, const char *path, const database_options *options, channels *heard,
                         char *why, size_t size)
{
    const int readers = sqlite_connection_readers(options);
    sqlite_workers *w = mem_alloc(sizeof *w + (size_t)(readers + 1) * sizeof w->each[0]);
    int err = 0;

    w->heard = heard;
    sqlite_job_queue_init(&w->reads);
    sqlite_job_queue_init(&w->writes);
    for (; w->count <= readers && !err; w->count++) {
        sqlite_worker *one = &w->each[w->count];
        one->all = w;
        const int code = sqlite_connection_open(&one->connection, path, w->count ? SQLITE_CONNECTION_READS : 0, options);
        if (code)
            err = sqlite_file_error(path, code, 0, sqlite3_errmsg(one->connection.sqlite), why, size);
    }
    sqlite_file_identity_init(&w->file, path);
    for (int i = 0; i < w->count; i++)
        w->each[i].connection.file = &w->file;
    for (; w->running <= readers && !err; w->running++) {
        err = w->running ? start_thread(&w->each[w->running], read_jobs, "sqlite reader")
                         : start_thread(&w->each[0], write_jobs, "sqlite writer");
        if (err) {
            snprintf(why, size, "cannot start a thread for %s: %s", path, uv_strerror(err));
            break;
        }
    }
    if (err) {
        sqlite_workers_stop(w);
        return err;
    }
    *made = w;
    return 0;
}

void sqlite_workers_stop(sqlite_workers *w)
{
    sqlite_job_queue_end(&w->reads);
    sqlite_job_queue_end(&w->writes);
    for (int i = 0; i < w->running; i++)
        pthread_join(w->each[i].thread, NULL);
    for (int i = w->count; i-- > 0;)         /* the writer last: it can tidy up the log */
        sqlite_connection_close(&w->each[i].connection);
    sqlite_file_identity_done(&w->file);
    sqlite_job_queue_done(&w->reads);
    sqlite_job_queue_done(&w->writes);
    mem_free(w);
}

sqlite_job_queue *sqlite_workers_queue(sqlite_workers *w, bool reads)       { return reads ? &w->reads : &w->writes; }
const sqlite_file_identity *sqlite_workers_file(const sqlite_workers *w)    { return &w->file; }
uint64_t sqlite_workers_commits(const sqlite_workers *w)                    { return atomic_load(&w->commits); }
