/* worker.c - see worker.h: one turn after the other. */
#include "worker.h"
#include "server/base/list.h"
#include "turn.h"

_Thread_local worker *worker_here;

static void worker_on_check(uv_check_t *h)
{
    worker *w = container_of(h, worker, check);
    turn_renew();                            /* I/O has had its time: requests that wait have as much */
    loop_enter();
    admission_serve(&w->admission);
    loop_leave();
    turn_run_put_off();
}

int worker_open(worker *w, bool (*ready)(void *connection, uint32_t events))
{
    worker_here = w;
    turn_open();
    admission_open(&w->admission, w->config);
    uv_check_init(loop_here(), &w->check);
    uv_check_start(&w->check, worker_on_check);
    uv_unref((uv_handle_t *)&w->check);
    return poller_open(&w->poller, ready);
}

void worker_close(worker *w)
{
    admission_close(&w->admission);
    uv_close((uv_handle_t *)&w->check, NULL);
    poller_close(&w->poller);
}
