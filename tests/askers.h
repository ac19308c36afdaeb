/* askers.h - plain threads that ask the database of on_postgres.h one thing each, for a client that may leave. */
#ifndef ASKERS_H
#define ASKERS_H

#include "on_postgres.h"

typedef struct asker {                       /* all zero but for what it shall ask */
    const statement *statement;
    int64_t          n;
    int              times;                  /* 0 is once; until one fails */
    int              err;
    int64_t          answer;                 /* the first cell of the last answer, if it is a number */
    double           took;                   /* seconds */
    int              client, peer;
    unsigned long    thread;
} asker;

void asker_start(asker *a);
void asker_leave(asker *a);                  /* its client is gone */
int  asker_end(asker *a);                    /* waits for it; its outcome */

int  in_line(void);                          /* how many wait for a connection */
void wait_for_line(int n);
void wait_for(const char *sql, const char *answer);          /* until the server says so */

#endif
