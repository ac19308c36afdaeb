/* file.c - see file.h, and file_operation.h for how it works. */
#include "file_operation.h"
#include "executor.h"
#include "server/async/loop.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"

#include <sys/stat.h>

static _Thread_local pool operations = POOL(file_operation);

void file_configure(int running, int waiting) { executor_add("files", running, waiting); }

/* Takes its steps as long as their outcomes are there: in a blocking thread, to the end. True if it ended. */
static bool go_on(file_operation *o, ssize_t result)
{
    for (;;) {
        file_step *step = o->next;
        if (o->fs.fs_type == UV_FS_OPEN && result >= 0)
            o->fd = (uv_file)result;
        if (!o->loop && blocking_cancelled())
            o->cancelled = true;
        if (o->cancelled && !o->ending && result >= 0)
            result = UV_ECANCELED;
        o->next = NULL;
        o->fs.fs_type = UV_FS_UNKNOWN;
        result = step(o, result);
        if (!o->next)
            return true;
        if (o->loop && result == 0)
            return false;
        uv_fs_req_cleanup(&o->fs);
    }
}

static int finish(file_operation *o)
{
    const int err = o->err;
    mem_free(o->temporary);
    executor_leave(EXECUTOR_FILES);
    return err;
}

static void settle(file_operation *o, int err)
{
    promise_settle(o->promise, err);
    pool_put(&operations, o);
}

static void on_called(uv_fs_t *fs)
{
    file_operation *o = (file_operation *)fs;
    const ssize_t result = fs->result;
    loop_enter();
    uv_fs_req_cleanup(fs);
    if (go_on(o, result))
        settle(o, finish(o));
    loop_leave();
}

static void on_entered(int err, void *arg)
{
    file_operation *o = arg;
    o->entering = NULL;
    if (err)
        settle(o, err);
    else if (go_on(o, 0))
        settle(o, finish(o));
}

static void cancel(promise *p, void *arg)
{
    file_operation *o = arg;
    (void)p;
    o->cancelled = true;
    if (o->entering)
        promise_cancel(o->entering);
    else if (!o->ending)
        uv_cancel((uv_req_t *)&o->fs);       /* only works while the pool has not begun it */
}

static promise *run_here(file_operation o)
{
    go_on(&o, 0);
    return promise_settled(finish(&o));
}

static promise *start(file_operation begun)
{
    int err;
    promise *entering = executor_enter(EXECUTOR_FILES);
    const bool waits = !promise_take_if_settled(entering, &err);
    if (!waits && err)
        return promise_settled(err);
    if (!loop_here())
        return run_here(begun);

    file_operation *o = pool_get(&operations);
    *o = begun;
    o->loop = loop_here();
    o->called = on_called;
    promise *p = o->promise = promise_new(cancel, o);
    if (waits) {
        o->entering = entering;
        when_settled(entering, on_entered, o);
    } else
        on_entered(0, o);
    return p;
}

promise *file_read(const char *path, arena *a, size_t max, text *out)
{
    return start((file_operation){ .next = file_read_begin, .path = path, .fd = -1, .arena = a, .max = max, .out = out });
}

promise *file_write(const char *path, text content)
{
    return start((file_operation){ .next = file_write_begin, .path = path, .fd = -1, .content = content, .mode = -1 });
}

/* The end of each. */

static int on_removed(file_operation *o, ssize_t result)
{
    (void)o;                                 /* what it was removed for is the error */
    (void)result;
    return 0;
}

static int on_closed(file_operation *o, ssize_t result)
{
    (void)result;                            /* nothing that was written is in it, but what is to be removed */
    o->fd = -1;
    return file_operation_end(o, o->err);
}

int file_operation_end(file_operation *o, int err)
{
    o->ending = true;
    o->err = err;
    if (o->fd >= 0) {
        o->next = on_closed;
        return uv_fs_close(o->loop, &o->fs, o->fd, o->called);
    }
    if (o->temporary && err) {
        o->next = on_removed;
        return uv_fs_unlink(o->loop, &o->fs, o->temporary, o->called);
    }
    return 0;
}

int file_operation_kind(const uv_stat_t *s)
{
    return S_ISREG(s->st_mode) ? 0 : S_ISDIR(s->st_mode) ? UV_EISDIR : UV_EINVAL;
}
