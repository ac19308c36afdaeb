/* serving.h - a worker of the server in the test's own thread, and clients to ask it over sockets.
 *
 * Time stands still from serving_start on, but for what a test skips of it: nothing is late because the machine is busy.
 * The loop turns as long as bytes move, and a test that waits for bytes that do not come fails. */
#ifndef SERVING_H
#define SERVING_H

#include "server/http/async/acceptor.h"
#include "server/http/async/worker.h"
#include "server/base/text.h"

typedef struct client {
    int    fd;
    char  *got;                              /* terminated; all that has come */
    size_t length, capacity;
    bool   ended;                            /* the server has closed its side */
} client;

/* Until it has been seen; a test that waits for ever for that ends by its time limit. */
#define serving_until(condition) \
    while (!(condition)) \
        serving_wait()

extern config serving_config;                /* the defaults: change them before serving_start */

void serving_start(const route routes[], int count);
void serving_turns(void);                    /* until nothing happens any more by itself */
void serving_wait(void);                     /* the same, and then a moment for what the kernel still has under way */
void serving_skip(uint64_t ms);              /* a leap of the clock, and what it brings about */
void serving_stop(void);                     /* drains; every connection must be gone */
void serving_turn(void);                     /* one, of the loop */
worker *serving_worker(void);
acceptor *serving_acceptor(void);
int  serving_connections(void);
int  serving_port(void);

client client_new(void);
client client_connecting(void);              /* the same, but the server need not have heard of it */
void   client_small_buffer(void);            /* of the clients to come: the kernel holds little for them */
size_t client_send(client *c, text t);       /* returns what the kernel took of it */
void   client_say(client *c, const char *words);             /* the kernel takes all of it */
void   client_until(client *c, const char *needle);          /* reads until it has come */
void   client_until_length(client *c, size_t length);        /* reads until so much has come */
void   client_read(client *c, size_t most);  /* what is there */
void   client_until_end(client *c);          /* reads until the server closes */
int    client_count(const client *c, const char *needle);    /* in all that has come */
void   client_forget(client *c);             /* what has come */
void   client_close(client *c);

#endif
