/* self.c - see self.h. */
#include "self.h"
#include "server/base/thread.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static target         *self;                 /* these are under the lock */
static int             held;

void self_hold(void)
{
    pthread_mutex_lock(&lock);
    held++;
    pthread_mutex_unlock(&lock);
}

static void *self_close(void *arg)
{
    target_close(arg);
    return NULL;
}

void self_release(void)
{
    pthread_t closing;
    pthread_mutex_lock(&lock);
    target *const unused = --held == 0 ? self : NULL;
    if (unused)
        self = NULL;
    pthread_mutex_unlock(&lock);
    if (!unused)
        return;
    if (thread_start(&closing, self_close, unused))
        target_close(unused);
    else
        pthread_detach(closing);
}

int self_look(void (*look)(target *t, void *arg), void *arg, char *why, size_t size)
{
    pthread_mutex_lock(&lock);
    const int err = self ? 0 : target_open(&self, getpid(), why, size);
    if (!err)
        look(self, arg);
    pthread_mutex_unlock(&lock);
    return err;
}
