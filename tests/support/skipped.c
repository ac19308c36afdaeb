/* skipped.c - see skipped.h. A test is a process of its own, somewhere: so what it skips goes to a file, beside the log
 * of its program. */
#include "skipped.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static char file[4096 + 256];                /* "": nobody asked for it */

void skipped_begin(void)
{
    char folder[4096];
    const char *log = getenv("CK_LOG_FILE_NAME");
    if (!log || !getcwd(folder, sizeof folder))
        return;
    snprintf(file, sizeof file, "%s%s%.200s.skipped", *log == '/' ? "" : folder, *log == '/' ? "" : "/", log);
    unlink(file);
}

void skipped(const char *test, const char *need)
{
    const char *end = strstr(test, "_fn");   /* which Check puts behind it */
    const int length = (int)(end ? (size_t)(end - test) : strlen(test));
    dprintf(STDERR_FILENO, "skipped: %.*s: no %s here\n", length, test, need);
    const int fd = *file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (fd < 0)
        return;
    dprintf(fd, "%s %.*s\n", need, length, test);
    close(fd);
}

bool mount_or_skip(const char *test, const char *folder, const char *options)
{
    const bool own = (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
                     mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
                     mount("tmpfs", folder, "tmpfs", 0, options) == 0;
    if (!own)
        skipped(test, NEEDS_MOUNTS);
    return own;
}
