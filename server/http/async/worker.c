/* worker.c - see worker.h: one turn after the other. */
#include "worker.h"
#include "server/base/list.h"
#include "turn.h"
#include "server/async/scope_for.h"

_Thread_local worker *worker_here;

static void worker_on_check(uv_check_t *h)
{
    worker *w = container_of(h, worker, check);
    loop_note_phase(LOOP_CHECK);
    turn_renew();                            /* I/O has had its time: requests that wait have as much */
    loop_enter();
    admission_serve(&w->admission);
    loop_leave();
    turn_run_put_off();
}

int worker_open(worker *w, bool (*ready)(void *connection, uint32_t events))
{
    const int err = poller_open(&w->poller, ready);
    if (err)
        return err;
    worker_here = w;
    turn_open();
    admission_open(&w->admission, w->config);
    uv_check_init(loop_here(), &w->check);
    uv_check_start(&w->check, worker_on_check);
    uv_unref((uv_handle_t *)&w->check);
    return 0;
}

void worker_configure(worker *w, const config *c)
{
    w->config = c;
    admission_configure(&w->admission, c);
}

void worker_close(worker *w)
{
    admission_close(&w->admission);
    uv_close((uv_handle_t *)&w->check, NULL);
    poller_close(&w->poller);
    scope_for_done();
}
