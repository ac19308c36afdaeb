/* file_identity.h - whether the files that are open are still those of that name.
 *
 * A file that is deleted, or in whose place another is put, lives on as long as it is open: what is stored there
 * would be acknowledged, and gone with the process. So a commit looks first. */
#ifndef DB_SQLITE_PLACE_H
#define DB_SQLITE_PLACE_H

#include <stdint.h>

typedef struct sqlite_place {
    const char *path;
    char       *log_path;                    /* of the write-ahead log */
    struct sqlite_inode { uint64_t device, number; } file, log;     /* 0 if it was not there */
} sqlite_place;

void sqlite_place_note(sqlite_place *p, const char *path);          /* they have been opened; path must outlive it */
void sqlite_place_done(sqlite_place *p);

/* 0, or UV_EROFS when they are gone, which it logs once a second at most. A stat or two. */
int sqlite_place_check(const sqlite_place *p);

/* What err of a write means there: UV_EROFS, logged, if the disk has become read-only, else err. */
int sqlite_place_blame(const sqlite_place *p, int err);

#endif
