/* file.c - see file.h. One file being read or written is an operation: a call of uv_fs at a time.
 *
 * A step starts the next call, names the step that gets its outcome, and returns what uv_fs_... did. On a loop the
 * outcome comes later, from the thread pool; in a blocking thread loop and called are NULL, and uv_fs has it at
 * once. A descriptor is in fd from when a call has opened it. */
#include "file.h"
#include "executor.h"
#include "server/async/loop.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    READ_PIECE = 256 * 1024,                 /* of one call: between two it can be cancelled */
    WRITE_PIECE = 1024 * 1024,
    UNKNOWN_SIZE = 4096,                     /* the first room for a file that does not say its size, as in /proc */
};

typedef struct operation operation;
typedef int operation_step(operation *o, ssize_t result);

struct operation {
    uv_fs_t         fs;                      /* must be first */
    uv_loop_t      *loop;
    uv_fs_cb        called;
    operation_step *next;                    /* gets the outcome; NULL: it has ended */
    promise        *promise, *entering;      /* entering while it waits for the executor */
    const char     *path;
    uv_file         fd;                      /* -1: none is open */
    int             err;                     /* the outcome of all */
    bool            cancelled;
    bool            ending;                  /* too late to cancel it */

    arena          *arena;                   /* reading */
    text           *out;
    char           *bytes;
    size_t          max, size, room;         /* size: the file's, as far as it says */
    size_t          length;                  /* read, or written, so far */

    text            content;                 /* writing */
    char           *temporary;               /* the new file's path, while there may be one; owned */
    int             mode;                    /* the old file's rights; -1: there is none */
};

static operation_step read_open, write_look; /* the first steps */

static _Thread_local pool operations = POOL(operation);

void file_configure(int running, int waiting) { executor_add("files", running, waiting); }

/* Takes its steps as long as their outcomes are there: in a blocking thread, to the end. True if it ended. */
static bool operation_go_on(operation *o, ssize_t result)
{
    for (;;) {
        operation_step *step = o->next;
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

static int operation_leave(operation *o)
{
    mem_free(o->temporary);
    executor_leave(EXECUTOR_FILES);
    return o->err;
}

static void operation_settle(operation *o, int err)
{
    promise_settle(o->promise, err);
    pool_put(&operations, o);
}

static void operation_on_called(uv_fs_t *fs)
{
    operation *o = (operation *)fs;
    const ssize_t result = fs->result;
    loop_enter();
    uv_fs_req_cleanup(fs);
    if (operation_go_on(o, result))
        operation_settle(o, operation_leave(o));
    loop_leave();
}

static void operation_on_entered(int err, void *arg)
{
    operation *o = arg;
    o->entering = NULL;
    if (err)
        operation_settle(o, err);
    else if (operation_go_on(o, 0))
        operation_settle(o, operation_leave(o));
}

static void operation_cancel(promise *p, void *arg)
{
    operation *o = arg;
    (void)p;
    o->cancelled = true;
    if (o->entering)
        promise_cancel(o->entering);
    else if (!o->ending)
        uv_cancel((uv_req_t *)&o->fs);       /* only works while the pool has not begun it */
}

static promise *operation_start(operation begun)
{
    int err;
    promise *entering = executor_enter(EXECUTOR_FILES);
    const bool waits = !promise_take_if_settled(entering, &err);
    if (!waits && err)
        return promise_settled(err);
    if (!loop_here()) {
        operation_go_on(&begun, 0);
        return promise_settled(operation_leave(&begun));
    }

    operation *o = pool_get(&operations);
    *o = begun;
    o->loop = loop_here();
    o->called = operation_on_called;
    promise *p = o->promise = promise_new(operation_cancel, o);
    if (waits) {
        o->entering = entering;
        when_settled(entering, operation_on_entered, o);
    } else
        operation_on_entered(0, o);
    return p;
}

promise *file_read(const char *path, arena *a, size_t max, text *out)
{
    return operation_start((operation){ .next = read_open, .path = path, .fd = -1, .arena = a, .max = max, .out = out });
}

promise *file_write(const char *path, text content)
{
    return operation_start((operation){ .next = write_look, .path = path, .fd = -1, .content = content, .mode = -1 });
}

/* The end of each: closes what is open first, and removes the new file if there is one. */

static int operation_on_removed(operation *o, ssize_t result)
{
    (void)o;                                 /* what it was removed for is the error */
    (void)result;
    return 0;
}

static operation_step operation_on_closed;

static int operation_end(operation *o, int err)
{
    o->ending = true;
    o->err = err;
    if (o->fd >= 0) {
        o->next = operation_on_closed;
        return uv_fs_close(o->loop, &o->fs, o->fd, o->called);
    }
    if (o->temporary && err) {
        o->next = operation_on_removed;
        return uv_fs_unlink(o->loop, &o->fs, o->temporary, o->called);
    }
    return 0;
}

static int operation_on_closed(operation *o, ssize_t result)
{
    (void)result;                            /* nothing that was written is in it, but what is to be removed */
    o->fd = -1;
    return operation_end(o, o->err);
}

static int check_is_regular(const uv_stat_t *s)
{
    return S_ISREG(s->st_mode) ? 0 : S_ISDIR(s->st_mode) ? UV_EISDIR : UV_EINVAL;
}

/* Reading: open, look, read until all is there, close. */

static operation_step read_on_piece;

static int read_more(operation *o)
{
    const size_t left = o->room - o->length;
    const uv_buf_t into = { o->bytes + o->length, left < READ_PIECE ? left : READ_PIECE };
    o->next = read_on_piece;
    return uv_fs_read(o->loop, &o->fs, o->fd, &into, 1, (int64_t)o->length, o->called);
}

static void read_make_room(operation *o, size_t room)
{
    char *bytes = arena_room(o->arena, room);
    memcpy(bytes, o->bytes ? o->bytes : "", o->length);
    o->bytes = bytes;
    o->room = room;
}

static int read_on_piece(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->length += (size_t)result;
    if (o->length > o->max)
        return operation_end(o, UV_EFBIG);
    if (result == 0 || o->length == o->size) {
        *o->out = (text){ o->bytes, o->length };
        return operation_end(o, 0);
    }
    if (o->length == o->room)
        read_make_room(o, 2 * o->room);
    return read_more(o);
}

static int read_on_looked(operation *o, ssize_t result)
{
    const uv_stat_t *s = &o->fs.statbuf;
    int err = result < 0 ? (int)result : check_is_regular(s);
    if (!err && s->st_size > o->max)
        err = UV_EFBIG;
    if (err)
        return operation_end(o, err);
    o->size = s->st_size;
    read_make_room(o, o->size ? o->size : UNKNOWN_SIZE);
    return read_more(o);
}

static int read_on_opened(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->next = read_on_looked;
    return uv_fs_fstat(o->loop, &o->fs, o->fd, o->called);
}

static int read_open(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->next = read_on_opened;                /* a fifo must not hold the thread */
    return uv_fs_open(o->loop, &o->fs, o->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, o->called);
}

/* Writing: look at the old file, make a new one beside it, write, bring it to the disk, put it in the old one's
 * place, and bring that to the disk. The steps stand here from the last to the first. */

/* The folder of path, with the slash at its end; "" for the present one. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash - path) + 1 : 0;
}

/* By now the new file is there, come what may; what happens to the folder's entry may still be lost. */
static int write_on_folder_synced(operation *o, ssize_t result)
{
    return operation_end(o, result == UV_EINVAL ? 0 : (int)result);          /* some file systems cannot */
}

static int write_on_folder_opened(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->next = write_on_folder_synced;
    return uv_fs_fsync(o->loop, &o->fs, o->fd, o->called);
}

static int write_on_replaced(operation *o, ssize_t result)
{
    const int folder = folder_length(o->path);
    char name[4096];
    if (result < 0)
        return operation_end(o, (int)result);
    mem_free(o->temporary);
    o->temporary = NULL;
    snprintf(name, sizeof name, "%.*s", folder ? folder : 1, folder ? o->path : ".");
    o->next = write_on_folder_opened;
    return uv_fs_open(o->loop, &o->fs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, o->called);
}

static int write_on_closed(operation *o, ssize_t result)
{
    o->fd = -1;
    if (result < 0)                          /* some file systems say only now that they are full */
        return operation_end(o, (int)result);
    o->next = write_on_replaced;
    return uv_fs_rename(o->loop, &o->fs, o->temporary, o->path, o->called);
}

static int write_on_synced(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->ending = true;
    o->next = write_on_closed;
    return uv_fs_close(o->loop, &o->fs, o->fd, o->called);
}

static operation_step write_on_piece;

static int write_more(operation *o)
{
    const size_t left = o->content.length - o->length;
    const uv_buf_t from = { (char *)o->content.at + o->length, left < WRITE_PIECE ? left : WRITE_PIECE };
    if (left == 0) {
        o->next = write_on_synced;
        return uv_fs_fsync(o->loop, &o->fs, o->fd, o->called);
    }
    o->next = write_on_piece;
    return uv_fs_write(o->loop, &o->fs, o->fd, &from, 1, (int64_t)o->length, o->called);
}

static int write_on_piece(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->length += (size_t)result;
    return write_more(o);
}

static int write_on_rights(operation *o, ssize_t result)
{
    return result < 0 ? operation_end(o, (int)result) : write_more(o);
}

static int write_on_made(operation *o, ssize_t result)
{
    if (o->fd < 0) {                         /* so there is none to remove */
        mem_free(o->temporary);
        o->temporary = NULL;
    }
    if (result < 0)
        return operation_end(o, (int)result);
    if (o->mode < 0)
        return write_more(o);
    o->next = write_on_rights;
    return uv_fs_fchmod(o->loop, &o->fs, o->fd, o->mode, o->called);
}

/* Hidden, and no other has its name: neither of this process nor of one before it. */
static char *temporary_name(const char *path)
{
    static atomic_uint count;
    enum { ROOM = 64 };
    const int folder = folder_length(path);
    char *name = mem_resize(NULL, (size_t)folder + ROOM);
    snprintf(name, (size_t)folder + ROOM, "%.*s.tenk-%d-%u-%llx", folder, path, (int)getpid(),
             atomic_fetch_add(&count, 1), (unsigned long long)uv_hrtime());
    return name;
}

static int write_on_looked(operation *o, ssize_t result)
{
    const uv_stat_t *s = &o->fs.statbuf;
    const bool is_link = result == 0 && S_ISLNK(s->st_mode);
    const int err = result < 0 ? (int)result : is_link ? 0 : check_is_regular(s);
    if (err && err != UV_ENOENT)
        return operation_end(o, err);
    if (!err && !is_link)
        o->mode = (int)(s->st_mode & 07777);
    o->temporary = temporary_name(o->path);
    o->next = write_on_made;
    return uv_fs_open(o->loop, &o->fs, o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666, o->called);
}

static int write_look(operation *o, ssize_t result)
{
    if (result < 0)
        return operation_end(o, (int)result);
    o->next = write_on_looked;
    return uv_fs_lstat(o->loop, &o->fs, o->path, o->called);
}
