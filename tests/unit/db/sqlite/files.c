/* files.c - see files.h. */
#include "files.h"
#include "db/sqlite/file.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char  folder[64];
static pid_t scope;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st, (void)type, (void)f;
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() == scope)
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *files_path(const char *name)
{
    static char paths[4][128];
    static int next;
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/tenk-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        scope = getpid();
        atexit(remove_folder);
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void files_make(const char *path, int users)
{
    char why[256] = "";
    const int err = sqlite_file_prepare(path, users, why, sizeof why);
    ck_assert_msg(err == 0, "%s", why);
}

int64_t files_ask(const char *path, const char *sql)
{
    sqlite3 *s;
    sqlite3_stmt *q;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    sqlite3_busy_timeout(s, 10000);
    ck_assert_msg(sqlite3_prepare_v2(s, sql, -1, &q, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(s));
    sqlite3_step(q);
    const int64_t answer = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(s);
    return answer;
}

int files_opened(const char *path)
{
    char link[64], to[256];
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    for (struct dirent *e; (e = readdir(all));) {
        snprintf(link, sizeof link, "/proc/self/fd/%.20s", e->d_name);
        const ssize_t n = readlink(link, to, sizeof to - 1);
        if (n > 0) {
            to[n] = '\0';
            count += strcmp(to, path) == 0;
        }
    }
    closedir(all);
    return count;
}
