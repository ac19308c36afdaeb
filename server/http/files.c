/* files.c - see files.h. */
#include "files.h"
#include "media.h"
#include "server/async/threads.h"
#include "server/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 128 * 1024 };

struct file {
    int         root, fd;
    const char *path;
    struct stat stat;
    char       *bytes;                       /* of one piece */
    size_t      length;                      /* what the last read got */
};

int files_open(const char *root)
{
    const int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* For kernels before 5.6, and sandboxes without openat2: step by step, through no symbolic link. */
static int open_step_by_step(int root, const char *path)
{
    int folder = root;
    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        char name[256];
        if ((size_t)(slash - path) >= sizeof name)
            return -ENAMETOOLONG;
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        const int next = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const int err = errno;
        if (folder != root)
            close(folder);
        if (next < 0)
            return -err;
        folder = next;
    }
    const int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const int err = errno;
    if (folder != root)
        close(folder);
    return fd < 0 ? -err : fd;
}

static int open_beneath(int root, const char *path)
{
    const struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,          /* a fifo must not hold the thread */
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_step_by_step(root, path);
    return fd < 0 ? -errno : (int)fd;
}

static int read_piece(void *arg)
{
    struct file *f = arg;
    const ssize_t n = read(f->fd, f->bytes, PIECE);
    if (n < 0)
        return -errno;
    f->length = (size_t)n;
    return n > 0 ? 0 : UV_EOF;
}

/* A small file is opened, looked at and read in one visit to the pool. */
static int open_and_read(void *arg)
{
    struct file *f = arg;
    f->fd = open_beneath(f->root, f->path);
    if (f->fd < 0)
        return E_NOT_FOUND;
    if (fstat(f->fd, &f->stat) || !S_ISREG(f->stat.st_mode))
        return E_NOT_FOUND;
    int err = f->stat.st_size > 0 ? read_piece(f) : 0;
    return err == UV_EOF ? 0 : err;
}

/* If-None-Match: a list of tags, or *; compared weakly (RFC 9110, 13.1.2). */
static bool tag_matches(text list, const char *tag)
{
    const size_t length = strlen(tag);
    if (text_equal(list, TEXT("*")))
        return true;
    for (const char *at = list.at, *end = at + list.length; (at = memchr(at, '"', (size_t)(end - at)));) {
        if ((size_t)(end - at) >= length && memcmp(at, tag, length) == 0)
            return true;
        const char *close = memchr(at + 1, '"', (size_t)(end - at - 1));
        if (!close)
            return false;
        at = close + 1;
    }
    return false;
}

static bool has_it(const request *req, const char *tag, time_t modified)
{
    const text tags = request_header(req, "if-none-match"), since = request_header(req, "if-modified-since");
    if (tags.length > 0)
        return tag_matches(tags, tag);
    char date[64];
    struct tm utc = { 0 };
    if (since.length == 0 || since.length >= sizeof date)
        return false;
    memcpy(date, since.at, since.length);
    date[since.length] = '\0';
    const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return end && *end == '\0' && modified <= timegm(&utc);
}

static int send_file(request *req, struct file *f)
{
    char tag[64], date[64];
    struct tm utc;
    gmtime_r(&f->stat.st_mtime, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    snprintf(tag, sizeof tag, "\"%llx-%llx\"", (unsigned long long)f->stat.st_size,
             (unsigned long long)f->stat.st_mtime * 1000000000ull + (unsigned long long)f->stat.st_mtim.tv_nsec);
    respond_header(req, "ETag", "%s", tag);
    respond_header(req, "Last-Modified", "%s", date);
    respond_header(req, "Cache-Control", "no-cache");
    respond_header(req, "X-Content-Type-Options", "nosniff");
    if (has_it(req, tag, f->stat.st_mtime))
        return respond_nothing(req, 304);

    const size_t size = (size_t)f->stat.st_size;
    const char *type = media_type(f->path);
    if (f->length >= size || text_equal(request_method(req), TEXT("HEAD"))) {
        int err = respond_begin(req, 200, type, size);
        return err ? err : await(respond_piece(req, (text){ f->bytes, f->length }));
    }
    int err = respond_begin(req, 200, type, size);
    for (size_t sent = 0; !err && sent < size;) {
        err = await(respond_piece(req, (text){ f->bytes, f->length }));
        sent += f->length;
        if (!err && sent < size)
            err = await(in_thread(read_piece, f));
    }
    return err;
}

static int close_file(void *arg)
{
    close(((struct file *)arg)->fd);
    return 0;
}

int respond_file(request *req, int root, text path)
{
    struct file f = { .root = root, .fd = -1 };
    if (path.length == 0 || memchr(path.at, '\0', path.length))
        return E_NOT_FOUND;
    f.path = arena_copy(request_arena(req), path);
    if (strstr(f.path, "//") || f.path[0] == '/')
        return E_NOT_FOUND;
    f.bytes = mem_resize(NULL, PIECE);
    int err = await(in_thread(open_and_read, &f));
    if (!err)
        err = send_file(req, &f);
    if (f.fd >= 0)
        close_file(&f);
    mem_free(f.bytes);
    return err;
}
