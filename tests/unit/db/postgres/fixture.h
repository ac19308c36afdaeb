/* fixture.h - what the tests of the PostgreSQL driver share: a server, and one loop's db of it. */
#ifndef TESTS_POSTGRES_FIXTURE_H
#define TESTS_POSTGRES_FIXTURE_H

#include "db/postgres/connection.h"
#include "db/postgres/error.h"
#include "db/postgres/postgres.h"
#include "tests/support/cluster.h"

extern cluster         *server;              /* for all tests of a case; each finds it running */
extern database        *base;
extern db              *here;
extern arena            scratch;
extern database_options options;             /* a test may change them before it opens */

void make_server(void);                      /* unchecked fixtures */
void free_server(void);
void begin(void);                            /* checked: the table things(id, name), 1 to 1000, and options */

const char *relayed_url(void);               /* of the server, behind a relay (relay.h) */
void open_with(const char *url);
void finish(void);                           /* closes; fails if anything is left open */
void finish_after(promise *closed);          /* the same, after db_close */

void open_blocking(const char *url);            /* without a loop: this is a blocking thread */
void finish_blocking(void);
pg_connection *connections(void);            /* of the loop's db */
pg_blocking_pool *blocking_pool(void);       /* of the blocking threads */
void wait_for_waiting(int n);                   /* until so many blocking threads wait for a connection */
int  now(const statement *s, rows *r, int64_t n);            /* asks, as a blocking thread: the outcome */
int  now_or_never(const statement *s, rows *r, int64_t n);   /* UV_ETIMEDOUT where it would have to wait */

int  outcome_here(promise *p);                 /* runs the loop until p settles */
void start(promise *p, int *err);             /* *err is 1 until it has settled */
void wait_until_settled(const int err[], int n);
void wait_for_all(void);                     /* connections to be up */
void pause_for(uint64_t ms);                 /* runs the loop */

void wait_for(const char *sql, const char *answer);          /* until the server says so; the loop stands */
void terminate(int pid);                     /* a backend; returns when it is gone, and the loop stands */
void terminate_all(void);                    /* backends of ours, the same */

extern const statement THING, SLEEP, ADD;    /* ($1 id), ($1 milliseconds), ($1 id) */
extern const statement SLEEP_AND_ADD;        /* ($1 id): a minute */
extern const statement BACKEND;              /* ($1 1): the pid of who runs it */
promise *ask(rows *out, const statement *s, int64_t n);

void wait_for_a_standby(void);               /* from now on commits do, and there is none; "alter system reset all" ends it */

extern const char CONNECTED[], SLEEPING[];   /* how many connections there are; and how many of them sleep */

/* A gate at the server. While it is shut, who runs one of these waits there, however long that takes, and
 * can be waited for: so what a test does in the middle of a query happens there on any machine. */
extern const statement GATED, GATED_ADD;     /* reads: $1; adds ($1 id) */
void gate_shut(void);
void gate_open(void);
void wait_at_gate(int n);                    /* until so many wait there at once; the loop stands */
void run_until_at_gate(int n);               /* the same, and the loop runs */

/* While it is locked, the server waits to prepare any statement about things. */
void things_lock(void);
void things_unlock(void);
void wait_for_things(int n);                 /* until so many wait for them; the loop stands */

#endif
