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


static struct sqlite_inode look_at(const char *path)
{
    struct stat now;
    return stat(path, &now) ? (struct sqlite_inode){ 0 } : (struct sqlite_inode){ now.st_dev, now.st_ino };
}

static bool is_there(const char *path, struct sqlite_inode file)
{
    const struct sqlite_inode now = look_at(path);
    return !file.number || (now.device == file.device && now.number == file.number);
}

void sqlite_place_note(sqlite_place *p, const char *path)
{
    const size_t room = strlen(path) + sizeof "-wal";
    *p = (sqlite_place){ .path = path, .log_path = mem_alloc(room) };
    snprintf(p->log_path, room, "%s-wal", path);
    p->file = look_at(path);
    p->log = look_at(p->log_path);
}

void sqlite_place_done(sqlite_place *p)
{
    mem_free(p->log_path);
    *p = (sqlite_place){ 0 };
}

int sqlite_place_check(const sqlite_place *p)
{
    const char *gone = !is_there(p->path, p->file)    ? p->path :
                       !is_there(p->log_path, p->log) ? p->log_path : NULL;
    if (!gone)
        return 0;
    log_error("%s has been deleted, moved or replaced while it was in use: nothing is stored any more, and what "
              "is read is the old file. Put it back, or start tenk again.", gone);
    return UV_EROFS;
}

int sqlite_place_blame(const sqlite_place *p, int err)
{
    struct statvfs disk;
    if (err != UV_EIO || statvfs(p->path, &disk) || !(disk.f_flag & ST_RDONLY))
        return err;
    log_error("%s: its disk has become read-only: nothing is stored until it can be written again", p->path);
    return UV_EROFS;
}
