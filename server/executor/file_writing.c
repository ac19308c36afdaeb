/* file_writing.c - the steps of file_write: look at the old file, make a new one beside it, write, bring
 * it to the disk, put it in the old one's place, and bring that to the disk. */
#include "file_operation.h"
#include "server/base/memory.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1024 * 1024 };                /* of one call: between two it can be cancelled */

static file_step on_written;

/* The folder of path, with the slash at its end; "" for the present one. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash - path) + 1 : 0;
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

/* By now the new file is there, come what may; what happens to the folder's entry may still be lost. */
static int on_folder_synced(file_operation *o, ssize_t result)
{
    return file_operation_end(o, result == UV_EINVAL ? 0 : (int)result);     /* some file systems cannot */
}

static int on_folder_opened(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->next = on_folder_synced;
    return uv_fs_fsync(o->loop, &o->fs, o->fd, o->called);
}

static int on_replaced(file_operation *o, ssize_t result)
{
    const int folder = folder_length(o->path);
    char name[4096];
    if (result < 0)
        return file_operation_end(o, (int)result);
    mem_free(o->temporary);
    o->temporary = NULL;
    snprintf(name, sizeof name, "%.*s", folder ? folder : 1, folder ? o->path : ".");
    o->next = on_folder_opened;
    return uv_fs_open(o->loop, &o->fs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, o->called);
}

static int on_closed(file_operation *o, ssize_t result)
{
    o->fd = -1;
    if (result < 0)                          /* some file systems say only now that they are full */
        return file_operation_end(o, (int)result);
    o->next = on_replaced;
    return uv_fs_rename(o->loop, &o->fs, o->temporary, o->path, o->called);
}

static int on_synced(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->ending = true;
    o->next = on_closed;
    return uv_fs_close(o->loop, &o->fs, o->fd, o->called);
}

static int write_more(file_operation *o)
{
    const size_t left = o->content.length - o->length;
    const uv_buf_t from = { (char *)o->content.at + o->length, left < PIECE ? left : PIECE };
    if (left == 0) {
        o->next = on_synced;
        return uv_fs_fsync(o->loop, &o->fs, o->fd, o->called);
    }
    o->next = on_written;
    return uv_fs_write(o->loop, &o->fs, o->fd, &from, 1, (int64_t)o->length, o->called);
}

static int on_written(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->length += (size_t)result;
    return write_more(o);
}

static int on_allowed(file_operation *o, ssize_t result)
{
    return result < 0 ? file_operation_end(o, (int)result) : write_more(o);
}

static int on_made(file_operation *o, ssize_t result)
{
    if (o->fd < 0) {                         /* so there is none to remove */
        mem_free(o->temporary);
        o->temporary = NULL;
    }
    if (result < 0)
        return file_operation_end(o, (int)result);
    if (o->mode < 0)
        return write_more(o);
    o->next = on_allowed;
    return uv_fs_fchmod(o->loop, &o->fs, o->fd, o->mode, o->called);
}

static int on_looked(file_operation *o, ssize_t result)
{
    const uv_stat_t *s = &o->fs.statbuf;
    const bool is_link = result == 0 && S_ISLNK(s->st_mode);
    const int err = result < 0 ? (int)result : is_link ? 0 : file_operation_kind(s);
    if (err && err != UV_ENOENT)
        return file_operation_end(o, err);
    if (!err && !is_link)
        o->mode = (int)(s->st_mode & 07777);
    o->temporary = temporary_name(o->path);
    o->next = on_made;
    return uv_fs_open(o->loop, &o->fs, o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666, o->called);
}

int file_write_begin(file_operation *o, ssize_t result)
{
    if (result < 0)
        return file_operation_end(o, (int)result);
    o->next = on_looked;
    return uv_fs_lstat(o->loop, &o->fs, o->path, o->called);
}
