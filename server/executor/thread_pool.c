/* thread_pool.c - see thread_pool.h. */
#include "thread_pool.h"
#include "executor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

enum { THREADS = 1024 };                     /* libuv has no more */

static int configured = 4;

void thread_pool_configure(int threads, int running, int waiting)
{
    char n[16];
    configured = threads;
    snprintf(n, sizeof n, "%d", threads);
    setenv("UV_THREADPOOL_SIZE", n, 1);
    executor_add("cpu", running, waiting);
}

/* Libuv's have stacks as large as this, or as the limit of the first thread's. */
static size_t thread_stack_size(void)
{
    enum { USUAL = 8 * 1024 * 1024 };
    struct rlimit l;
    return getrlimit(RLIMIT_STACK, &l) == 0 && l.rlim_cur != RLIM_INFINITY && l.rlim_cur > USUAL ? l.rlim_cur : USUAL;
}

static void *thread_wait_for_all(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

/* Whether so many can be at the same time. */
static int try_threads(int count)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    pthread_t threads[THREADS];
    int err = 0, started = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, thread_stack_size());
    pthread_mutex_lock(&lock);
    while (started < count && !err) {
        err = pthread_create(&threads[started], &attributes, thread_wait_for_all, &lock);
        started += !err;
    }
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
    return -err;
}

static void work_nothing(uv_work_t *w)             { (void)w; }
static void work_on_done(uv_work_t *w, int status) { (void)w; (void)status; }

int thread_pool_start(void)
{
    uv_loop_t loop;
    uv_work_t first;
    int err = try_threads(configured);
    if (err || (err = uv_loop_init(&loop)))
        return err;
    uv_queue_work(&loop, &first, work_nothing, work_on_done);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

promise *in_thread(int (*fn)(void *), void *arg) { return run_in_executor(EXECUTOR_CPU, fn, arg); }
