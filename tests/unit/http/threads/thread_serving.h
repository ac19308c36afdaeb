/* thread_serving.h - one client of threads mode, served by a thread of its own as the server's would be. */
#ifndef THREAD_SERVING_H
#define THREAD_SERVING_H

#include "server/http/threads/connection.h"
#include "server/base/text.h"

void thread_serving_start(const route routes[], int count);  /* serving_config is its configuration */
int  thread_serving_client(void);            /* a client's socket; a read of it waits for 10 s at most */
void thread_serving_until(int client, text expected);        /* reads so much, which must be that */
void thread_serving_until_end(int client);   /* the server closes, and has sent no more */
void thread_serving_drain(void);             /* the server is about to stop */
void thread_serving_break_off(void);
void thread_serving_stop(void);              /* once its clients have closed, or been closed */

#endif
