/* replica.c - see replica.h. */
#include "replica.h"
#include "server/async/chain.h"
#include "server/async/loop.h"
#include "server/base/log.h"
#include "server/executor/thread_pool.h"

#include <pthread.h>

static database_options options;
static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;
static database        *opened;              /* under the lock; NULL: nobody has wanted it yet */
static _Thread_local db *here;               /* of a loop */

void replica_configure(const database_options *o) { options = *o; }

/* What fails is tried again by the next who wants it. */
static int replica_open_database(void *unused)
{
    char why[512];
    int err = 0;
    (void)unused;
    pthread_mutex_lock(&lock);
    if (!opened) {
        err = database_open(&opened, &options, why, sizeof why);
        if (err) {
            opened = NULL;
            log_warning("the replica of the gallery cannot be opened: %s", why);
        }
    }
    pthread_mutex_unlock(&lock);
    return err;
}

int replica_open(db **out)
{
    if (!here) {
        const int err = await(in_thread(replica_open_database, NULL));       /* it may read a file */
        if (err)
            return err;
    }
    if (!loop_here())
        *out = db_new(opened);
    else if (here)                           /* another task may have been as quick */
        *out = here;
    else
        *out = here = db_new(opened);
    return 0;
}

void replica_give_back(db *replica)
{
    if (!loop_here())
        db_free(replica);
}

static promise *replica_free_here(void *arg)
{
    db_free(arg);
    here = NULL;
    return promise_settled(0);
}

promise *replica_close_here(void) { return here ? then(db_close(here), replica_free_here, here) : promise_settled(0); }

void replica_close(void)
{
    if (opened)
        database_close(opened);
    opened = NULL;
}
