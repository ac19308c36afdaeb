/* record_writer.c - see record_writer.h. */
#include "record_writer.h"
#include "recording.h"
#include "recording_svg.h"
#include "server/base/log.h"
#include "server/base/observe/recorder.h"
#include "server/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { FILES = 10, WHY = PATH_MAX + 256 };

static struct {
    const char *folder;
    int         wake;                        /* an eventfd */
    atomic_bool stopping;
    pthread_t   thread;
    bool        started;
    int         next;                        /* the number of the next file */
} writer;

static void on_sigusr1(int number)
{
    const int saved = errno;
    (void)number;
    recorder_ask();
    errno = saved;
}

/* Whole or not at all: under another name first. */
static int writer_write(const char *path, target *t, int (*write)(target *t, FILE *out, char *why, size_t size), char *why,
                        size_t size)
{
    char unfinished[PATH_MAX + 8];
    snprintf(unfinished, sizeof unfinished, "%s.new", path);
    const int fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *const f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        snprintf(why, size, "%s: %s", unfinished, strerror(errno));
        return UV_EIO;
    }
    int err = write(t, f, why, size);
    if (fclose(f) && !err) {
        snprintf(why, size, "%s: %s", unfinished, strerror(errno));
        err = UV_EIO;
    }
    if (!err && rename(unfinished, path)) {
        snprintf(why, size, "%s: %s", path, strerror(errno));
        err = UV_EIO;
    }
    if (err)
        unlink(unfinished);
    return err;
}

static void writer_write_next(void)
{
    char path[PATH_MAX], picture[PATH_MAX], why[WHY];
    target *t;
    const int number = writer.next++ % FILES;
    snprintf(path, sizeof path, "%s/tenk-%d-%d.json", writer.folder, (int)getpid(), number);
    snprintf(picture, sizeof picture, "%s/tenk-%d-%d.svg", writer.folder, (int)getpid(), number);
    int err = target_open(&t, getpid(), why, sizeof why);
    if (!err) {
        err = writer_write(path, t, recording_write, why, sizeof why);
        if (!err)
            err = writer_write(picture, t, recording_write_svg, why, sizeof why);
        target_close(t);
    }
    if (err)
        log_warning("what was done last cannot be written down: %s", why);
    else
        log_info("what was done last is in %s, and drawn in %s", path, picture);
}

static void *writer_run(void *arg)
{
    eventfd_t asked;
    for (;;) {
        if (eventfd_read(writer.wake, &asked) && errno != EINTR)
            break;
        if (recorder_asked())
            writer_write_next();
        if (atomic_load(&writer.stopping))
            break;
    }
    return arg;
}

int record_writer_start(const char *folder)
{
    writer.folder = folder;
    writer.wake = eventfd(0, EFD_CLOEXEC);
    if (writer.wake < 0)
        return -errno;
    const int err = thread_start(&writer.thread, writer_run, NULL);
    if (err) {
        close(writer.wake);
        return err;
    }
    writer.started = true;
    recorder_wake_by(writer.wake);
    struct sigaction own = { .sa_handler = on_sigusr1, .sa_flags = SA_ONSTACK | SA_RESTART };
    sigemptyset(&own.sa_mask);
    sigaction(SIGUSR1, &own, NULL);
    return 0;
}

void record_writer_stop(void)
{
    if (!writer.started)
        return;
    signal(SIGUSR1, SIG_IGN);
    recorder_wake_by(-1);
    atomic_store(&writer.stopping, true);
    eventfd_write(writer.wake, 1);
    pthread_join(writer.thread, NULL);
    close(writer.wake);
    writer.started = false;
}
