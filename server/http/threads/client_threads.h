/* client_threads.h - all threads that serve a client, in threads mode: who they are, for those who count, look or tell of them.
 *
 *   Threads.  For any; the lock is held for as long as it takes to walk over them. */
#ifndef HTTP_CLIENT_THREADS_H
#define HTTP_CLIENT_THREADS_H

#include "connection.h"
#include "server/http/server.h"
#include "server/http/server_internal.h"
#include "server/base/observe/recorder.h"

#include <pthread.h>

typedef struct client_threads {
    thread_shared      shared;
    const site        *site;
    thread_admission   admissions[NEEDS];
    const server      *server;
    int                signals, emptied, many_ended;         /* descriptors; emptied: the last thread has ended */
    int                asked;                /* the same: it can be read when another thread asks (server_ask) */
    atomic_bool        answered;
    pthread_attr_t     attributes;           /* of the threads */
    pthread_mutex_t    lock;                 /* of what follows */
    list               connections;          /* those whose threads go on */
    recorder          *recorder;             /* of all threads; NULL: none */
    int                count;                /* of threads: those that end are the last to be counted down */
    int                ended;                /* since what they have freed went to the kernel */
} client_threads;

/* Counted from when it is added until threads_count_down; from threads_remove on no other thread touches c. */
void threads_add(client_threads *all, thread_connection *c);
void threads_remove(client_threads *all, thread_connection *c);
void threads_count_down(client_threads *all);
int  threads_count(client_threads *all);

/* They can be looked at, from outside (layout.h) and inside (footprint.h), and by SIGUSR2; or no more. */
void threads_show(const client_threads *all);
void threads_hide(void);
void threads_log(void);                      /* what each does; none if they are hidden */

#endif
