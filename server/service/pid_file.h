/* pid_file.h - a file with the number of the process that serves, by which others find it.
 *
 * The process holds a lock on the file (fcntl(2)) for as long as it lives, and the kernel says who does: so the number of a
 * process that has been killed is never taken for another's that has got it since. */
#ifndef PID_FILE_H
#define PID_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct pid_file {
    const char *path;
    int         fd;                          /* -1: there is none */
} pid_file;

/* Makes the file, or takes the place of a stale one, or if over is true, of one that another process holds. The path must outlive
 * it. 0, or an error after saying in why what is wrong: UV_EEXIST: another process holds it. */
int  pid_file_open(pid_file *f, const char *path, bool over, char *why, size_t size);
void pid_file_close(pid_file *f);            /* removes the file, if it is still this one */

/* The process that holds the file: 0 and *process; else an error after saying in why what is wrong: UV_ENOENT: there is no such
 * file; UV_ESRCH: nobody holds it, who made it has ended; or it cannot be read. */
int  pid_file_holder(const char *path, pid_t *process, char *why, size_t size);

#endif
