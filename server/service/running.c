/* running.c - see running.h. */
#include "running.h"
#include "pid_file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include <uv.h>

/* A descriptor of the process that holds the file, and still did when that was opened: it is no other that has its number now. */
static int running_open(const char *pid_file, pid_t *process, char *why, size_t size)
{
    pid_t again;
    if (strcmp(pid_file, "none") == 0) {
        snprintf(why, size, "which tenk is meant? [server] pid_file, by which it would be found, is not set");
        return UV_EINVAL;
    }
    int err = pid_file_holder(pid_file, process, why, size);
    if (err)
        return err;
    const int fd = pidfd_open(*process, 0);
    if (fd < 0) {
        err = -errno;
        snprintf(why, size, "process %ld, of %s: %s", (long)*process, pid_file, uv_strerror(err));
        return err;
    }
    err = pid_file_holder(pid_file, &again, why, size);
    if (!err && again == *process)
        return fd;
    close(fd);
    if (err)
        return err;
    snprintf(why, size, "another tenk has just taken the place of process %ld: try again", (long)*process);
    return UV_EAGAIN;
}

static int running_send(int fd, pid_t process, int number, char *why, size_t size)
{
    if (pidfd_send_signal(fd, number, NULL, 0) == 0)
        return 0;
    const int err = -errno;
    if (err == UV_EPERM)
        snprintf(why, size, "process %ld is another user's: that is not permitted", (long)process);
    else
        snprintf(why, size, "process %ld: %s", (long)process, uv_strerror(err));
    return err;
}

int running_reload(const char *pid_file, char *why, size_t size)
{
    pid_t process;
    const int fd = running_open(pid_file, &process, why, size);
    if (fd < 0)
        return fd;
    const int err = running_send(fd, process, SIGHUP, why, size);
    if (!err)
        printf("process %ld reads its configuration again; its log says what has changed\n", (long)process);
    close(fd);
    return err;
}

int running_stop(const char *pid_file, uint64_t ms, char *why, size_t size)
{
    pid_t process;
    const int fd = running_open(pid_file, &process, why, size);
    if (fd < 0)
        return fd;
    int err = running_send(fd, process, SIGTERM, why, size);
    if (!err && poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, (int)ms) != 1) {
        snprintf(why, size, "process %ld has not ended in time, and still finishes what is under way", (long)process);
        err = UV_ETIMEDOUT;
    }
    if (!err)
        printf("process %ld has ended\n", (long)process);
    close(fd);
    return err;
}
