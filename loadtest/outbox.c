/* outbox.c - how many transactions a second two processes publish on one PostgreSQL, and how long after a commit the other
 * process has the message: make bench-outbox URL=postgresql://... of a database that is made for it (it drops the table outbox).
 *
 *     alone     each transaction writes a row of the table, and nobody reads it: what the database takes
 *     outbox    the same, published, and handed out by the outbox of both processes
 *     notify    beside it: each transaction writes the row and notifies by itself; both processes listen
 *
 * Each process has so many threads, each of which publishes one after the other, or at a rate. A latency is from when the
 * publisher knows of its commit to when the message is handed out in the other process; one that came before is 0. */
#include "db/db.h"
#include "db/outbox.h"
#include "db/schema.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/stopwatch.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum { PROCESSES = 2, MOST = 1 << 21, WARM_MS = 1000, LATE_MS = 2000 };

typedef enum way { ALONE, OUTBOX, NOTIFIES, WAYS } way;

static const char *const NAMES[] = { "alone", "outbox", "notify" };

/* Of all processes. A message's number is its place here. */
static struct shared {
    atomic_int       number, ready;
    atomic_bool      stop, end;
    atomic_int       failed, strange;        /* publishing; messages twice, or out of order */
    uint64_t         began;
    _Atomic uint64_t committed[MOST];        /* by uv_hrtime */
    _Atomic uint64_t came[PROCESSES][MOST];
    char             publisher[MOST];
} *shared;

static struct { const char *url; way way; int process, threads; double rate; database *d; int64_t last; } here;

static const statement ROW = { "row", "insert into outbox (topic, event, data, created_at) values ('bench', 'e', $1, 1)", false },
                       TOLD = { "told", "select pg_notify('bench', $1)", false };

static void message_came(text data)
{
    const int n = atoi(data.at);
    if (n < 0 || n >= MOST || atomic_exchange(&shared->came[here.process][n], uv_hrtime()))
        atomic_fetch_add(&shared->strange, 1);
}

static void on_row(void *arg, const outbox_row *row)
{
    (void)arg;
    if (row->id <= here.last)
        atomic_fetch_add(&shared->strange, 1);
    here.last = row->id;
    message_came(row->data);
}

static void *hear(void *arg)
{
    PGconn *pg = PQconnectdb(here.url);
    (void)arg;
    PQclear(PQexec(pg, "listen bench"));
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->end)) {
        poll(&(struct pollfd){ PQsocket(pg), POLLIN, 0 }, 1, 100);
        PQconsumeInput(pg);
        for (PGnotify *n; (n = PQnotifies(pg)); PQfreemem(n))
            message_came(text_of(n->extra));
    }
    PQfinish(pg);
    return NULL;
}

static void *publish(void *arg)
{
    db *d = db_new(here.d);
    arena a = { 0 };
    const double each = here.rate > 0 ? 1e9 * here.threads * PROCESSES / here.rate : 0;
    double next = (double)uv_hrtime() + each * (double)(rand() % 1000) / 1000;
    (void)arg;
    while (!atomic_load(&shared->stop)) {
        const uint64_t now = uv_hrtime();
        if (each && (double)now < next) {
            usleep((useconds_t)((next - (double)now) / 1000) + 1);
            continue;
        }
        next += each;
        const int n = atomic_fetch_add(&shared->number, 1);
        if (n >= MOST)
            break;
        char number[16];
        snprintf(number, sizeof number, "%d", n);
        shared->publisher[n] = (char)here.process;
        value room[OUTBOX_VALUES], data = string(text_of(number));
        const db_step row = { &ROW, 1, &data, NULL }, told = { &TOLD, 1, &data, NULL };
        db_step steps[2] = { row, told };
        if (here.way == OUTBOX)
            steps[0] = outbox_step(room, TEXT("bench"), TEXT("e"), data.text);
        int err = UV_ECANCELED;
        promise_take_if_settled(db_transaction(d, &a, NULL, here.way == NOTIFIES ? 2 : 1, steps), &err);
        arena_done(&a);
        if (err)
            atomic_fetch_add(&shared->failed, 1);
        else
            atomic_store(&shared->committed[n], uv_hrtime());
    }
    int err;
    promise_take_if_settled(db_close(d), &err);
    db_free(d);
    return NULL;
}

static void run_process(void)
{
    char why[256];
    const database_options options = { .url = here.url, .connections = here.threads, .pipeline_depth = 1, .line = 10000,
                                       .timeout_ms = 30000, .line_timeout_ms = 30000, .connect_timeout_ms = 5000,
                                       .prepare = true };
    const outbox_options keep = { .poll_ms = 100, .keep = 100000 };
    pthread_t threads[1000], hearing;
    outbox *o = NULL;
    if (database_open(&here.d, &options, why, sizeof why)) {
        fprintf(stderr, "outbox: %s\n", why);
        exit(1);
    }
    if (here.way == OUTBOX) {
        if (outbox_start(&o, here.d, &keep, on_row, NULL))
            exit(1);
        while (outbox_position(o) < 0)
            usleep(1000);
        atomic_fetch_add(&shared->ready, 1);
    } else if (here.way == NOTIFIES)
        pthread_create(&hearing, NULL, hear, NULL);
    else
        atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->ready) < PROCESSES)
        usleep(1000);
    for (int i = 0; i < here.threads; i++)
        pthread_create(&threads[i], NULL, publish, NULL);
    for (int i = 0; i < here.threads; i++)
        pthread_join(threads[i], NULL);
    while (!atomic_load(&shared->end))
        usleep(1000);
    if (o)
        outbox_stop(o);
    if (here.way == NOTIFIES)
        pthread_join(hearing, NULL);
    database_close(here.d);
    exit(0);
}

static int run_sql(void *pg, const char *sql, int n, const int64_t parameters[])
{
    (void)n, (void)parameters;
    PGresult *r = PQexec(pg, sql);
    const bool good = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    return good ? 0 : UV_EIO;
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile_ms(const uint64_t sorted[], int count, int percent)
{
    const size_t at = (size_t)count * (size_t)percent / 100;
    return (double)sorted[at] / 1e6;
}

static void report(double seconds)
{
    static uint64_t late[MOST];
    const int all = atomic_load(&shared->number) < MOST ? atomic_load(&shared->number) : MOST;
    const uint64_t from = shared->began + WARM_MS * 1000000ull, to = from + (uint64_t)(seconds * 1e9);
    int count = 0, published = 0, missing = 0;
    for (int n = 0; n < all; n++) {
        const uint64_t at = atomic_load(&shared->committed[n]);
        const uint64_t came = atomic_load(&shared->came[1 - shared->publisher[n]][n]);
        missing += at && here.way != ALONE && (!came || !atomic_load(&shared->came[(int)shared->publisher[n]][n]));
        if (at < from || at >= to)
            continue;
        published++;
        if (came)
            late[count++] = came > at ? came - at : 0;
    }
    qsort(late, (size_t)count, sizeof *late, compare);
    printf("%-8s %8.0f transactions/s", NAMES[here.way], published / seconds);
    if (count)
        printf("   p50 %7.1f ms   p99 %7.1f ms   longest %7.1f ms", percentile_ms(late, count, 50),
               percentile_ms(late, count, 99), (double)late[count - 1] / 1e6);
    printf("   missing %d, strange %d, failed %d\n", missing, atomic_load(&shared->strange), atomic_load(&shared->failed));
    fflush(stdout);
}

static void run_way(way w, double seconds)
{
    PGconn *pg = PQconnectdb(here.url);
    if (PQstatus(pg) != CONNECTION_OK || run_sql(pg, "set client_min_messages = error", 0, NULL) ||
        run_sql(pg, "drop table if exists outbox", 0, NULL) || schema_add_outbox(&SCHEMA_POSTGRES, run_sql, pg)) {
        fprintf(stderr, "outbox: %s\n", PQerrorMessage(pg));
        exit(1);
    }
    PQfinish(pg);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    here.way = w;
    for (here.process = 0; here.process < PROCESSES; here.process++)
        if (fork() == 0)
            run_process();
    while (atomic_load(&shared->ready) < PROCESSES)
        usleep(1000);
    shared->began = uv_hrtime();
    usleep((useconds_t)(WARM_MS * 1000 + seconds * 1e6));
    atomic_store(&shared->stop, true);
    usleep(LATE_MS * 1000);
    atomic_store(&shared->end, true);
    while (wait(NULL) > 0)
        ;
    report(seconds);
    munmap(shared, sizeof *shared);
}

int main(int argc, char *argv[])
{
    if (argc < 2) {
        fprintf(stderr, "usage: outbox URL [SECONDS [THREADS [RATE]]]    threads of each process; rate of both, 0: the most\n");
        return 2;
    }
    here.url = argv[1];
    const double seconds = argc > 2 ? atof(argv[2]) : 5;
    here.threads = argc > 3 ? atoi(argv[3]) : 16;
    here.rate = argc > 4 ? atof(argv[4]) : 0;
    if (seconds <= 0 || here.threads < 1 || here.threads > 1000)
        return 2;
    log_set_level(LOG_ERROR);
    for (way w = ALONE; w < WAYS; w++)
        run_way(w, seconds);
    return 0;
}
