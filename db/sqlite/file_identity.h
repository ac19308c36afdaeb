/* file_identity.h - whether the files that are open are still those of that name.
 *
 * A file that is deleted, or in whose place another is put, lives on as long as it is open: what is stored there
 * would be acknowledged, and gone with the process. So a commit looks first. */
#ifndef DB_SQLITE_FILE_IDENTITY_H
#define DB_SQLITE_FILE_IDENTITY_H

#include <stdint.h>

typedef struct sqlite_file_identity {
    const char *path;
    char       *log_path;                    /* of the write-ahead log */
    struct sqlite_inode { uint64_t device, number; } file, log;     /* 0 if it was not there */
} sqlite_file_identity;

/* Once they have been opened; path must outlive it. */
void sqlite_file_identity_init(sqlite_file_identity *f, const char *path);
void sqlite_file_identity_done(sqlite_file_identity *f);

/* 0, or UV_EROFS when they are gone, which it logs once a second at most. A stat or two. */
int sqlite_file_identity_check(const sqlite_file_identity *f);

/* What err of a write means there: UV_EROFS, logged, if the disk has become read-only, else err. */
int sqlite_file_identity_explain(const sqlite_file_identity *f, int err);

#endif
