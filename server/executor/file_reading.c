/* file_reading.c - the steps of file_read: open, look, read until all is there, close. */
#include "file_operation.h"

#include <fcntl.h>

enum {
    PIECE = 256 * 1024,                      /* of one call: between two it can be cancelled */
    UNKNOWN = 4096,                          /* the first room for one that does not say its size, as in /proc */
};

static file_step on_read;

static int read_more(file_operation *o)
{
    const size_t left = o->room - o->length;
    const uv_buf_t into = { o->bytes + o->length, left < PIECE ? left : PIECE };
    o->next = on_read;
    return uv_fs_read(o->loop, &o->fs, o->fd, &into, 1, (int64_t)o->length, o->called);
}

static void make_room(file_operation *o, size_t room)
{
    char *bytes = arena_room(o->arena, room);
    memcpy(bytes, o->bytes ? o->bytes : "", o->length);
    o->bytes = bytes;
    o->room = room;
}

static int give(file_operation *o)
{
    *o->out = (text){ o->bytes, o->length };
    return file_operation_end(o, 0);
}

static int on_read(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->length += (size_t)result;
    if (o->length > o->max)
        return file_operation_end(o, UV_EFBIG);
    if (result == 0 || o->length == o->size)
        return give(o);
    if (o->length == o->room)
        make_room(o, 2 * o->room);
    return read_more(o);
}

static int on_looked(file_operation *o, ssize_t result)
{
    const uv_stat_t *s = &o->fs.statbuf;
    int err = result < 0 ? (int)result : file_operation_kind(s);
    if (!err && s->st_size > o->max)
        err = UV_EFBIG;
    if (err)
        return file_operation_end(o, err);
    o->size = s->st_size;
    make_room(o, o->size ? o->size : UNKNOWN);
    return read_more(o);
}

static int on_opened(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->next = on_looked;
    return uv_fs_fstat(o->loop, &o->fs, o->fd, o->called);
}

int file_read_begin(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->next = on_opened;                     /* a fifo must not hold the thread */
    return uv_fs_open(o->loop, &o->fs, o->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, o->called);
}
