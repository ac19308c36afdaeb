/* file_identity.c - see file_identity.h. */
#include "file_identity.h"
#include "server/base/log.h"
#include "server/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <uv.h>

static struct sqlite_inode inode_of(const char *path)
{
    struct stat now;
    if (stat(path, &now))
        return (struct sqlite_inode){ 0 };
    return (struct sqlite_inode){ now.st_dev, now.st_ino };
}

static bool is_still_there(const char *path, struct sqlite_inode file)
{
    const struct sqlite_inode now = inode_of(path);
    return !file.number || (now.device == file.device && now.number == file.number);
}

void sqlite_file_identity_init(sqlite_file_identity *f, const char *path)
{
    const size_t room = strlen(path) + sizeof "-wal";
    *f = (sqlite_file_identity){ .path = path, .log_path = mem_alloc(room) };
    snprintf(f->log_path, room, "%s-wal", path);
    f->file = inode_of(path);
    f->log = inode_of(f->log_path);
}

void sqlite_file_identity_done(sqlite_file_identity *f)
{
    mem_free(f->log_path);
    *f = (sqlite_file_identity){ 0 };
}

int sqlite_file_identity_check(const sqlite_file_identity *f)
{
    const char *gone = !is_still_there(f->path, f->file)    ? f->path :
                       !is_still_there(f->log_path, f->log) ? f->log_path : NULL;
    if (!gone)
        return 0;
    log_error("%s has been deleted, moved or replaced while it was in use: nothing is stored any more, and what "
              "is read is the old file. Put it back, or start tenk again.", gone);
    return UV_EROFS;
}

int sqlite_file_identity_explain(const sqlite_file_identity *f, int err)
{
    struct statvfs disk;
    if (err != UV_EIO || statvfs(f->path, &disk) || !(disk.f_flag & ST_RDONLY))
        return err;
    log_error("%s: its disk has become read-only: nothing is stored until it can be written again", f->path);
    return UV_EROFS;
}
