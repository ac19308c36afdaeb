/* askers.h - blocking threads that ask a database one thing each, for a client that may leave. */
#ifndef ASKERS_H
#define ASKERS_H

#include "db/db.h"

#include <pthread.h>

typedef struct asker {                       /* all zero but for what it shall ask */
    const statement *statement;
    int64_t          n;                      /* $1 */
    const char      *title;                  /* $2, if there is one */
    int              times;                  /* 0 is once; until one fails */
    uint64_t         within_ms;              /* the thread's deadline; 0 for none */
    int              err;
    int64_t          answer;                 /* the first cell of the last answer, if it is a number */
    double           took;                   /* seconds */
    int              client, peer;
    database        *of;
    pthread_t        thread;
} asker;

void asker_start(asker *a, database *of);
void asker_leave(asker *a);                  /* its client is gone */
int  asker_end(asker *a);                    /* waits for it; its outcome */

#endif
