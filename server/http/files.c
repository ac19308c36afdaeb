/* files.c - see files.h. */
#include "files.h"
#include "conditions.h"
#include "server/http/message/accept_header.h"
#include "server/http/message/media.h"
#include "policy.h"
#include "server/executor/executor.h"
#include "server/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

enum { PIECE = 64 * 1024 };

struct file {
    int         root, fd;
    const char *path, *type;
    text        accept;                      /* Accept-Encoding; "" of what is not compressible */
    coding      coding;                      /* of what is at fd */
    struct stat stat;
    char       *bytes;                       /* owned: of one piece */
    size_t      room;                        /* at bytes */
    uint64_t    at;                          /* where to read */
    size_t      length;                      /* what the last read got */
};

int files_open(const char *root)
{
    const int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* For kernels before 5.6, and sandboxes without openat2: step by step, through no symbolic link.
 * file_path_is_plain() has seen to it that no step leads up. */
static int file_open_step_by_step(int root, const char *path)
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

static int file_open_beneath(int root, const char *path)
{
    const struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,          /* a fifo must not hold the thread */
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return file_open_step_by_step(root, path);
    return fd < 0 ? -errno : (int)fd;
}

/* What the client may not tell apart from a file that is not there. */
static int file_not_found_or(int err)
{
    switch (err) {
    case UV_ENOENT: case UV_ENOTDIR: case UV_ELOOP: case UV_ENAMETOOLONG: case UV_EACCES: case UV_EXDEV:
    case UV_ENXIO:                           /* a fifo or a socket */
        return E_NOT_FOUND;
    default:
        return err;
    }
}

static int file_read_piece(void *arg)
{
    struct file *f = arg;
    const ssize_t n = pread(f->fd, f->bytes, f->room, (off_t)f->at);
    if (n < 0)
        return -errno;
    f->length = (size_t)n;
    return n > 0 ? 0 : UV_EOF;
}

/* As libuv closes sockets, by the system call itself: ThreadSanitizer knows descriptors by libc's calls, and would take
 * this one for a connection of another loop that had its number before. */
static void file_close(int fd)
{
    uv_fs_t request;
    uv_fs_close(NULL, &request, fd, NULL);
    uv_fs_req_cleanup(&request);
}

static int file_open(int root, const char *path, struct stat *stat)
{
    const int fd = file_open_beneath(root, path);
    if (fd < 0)
        return file_not_found_or(fd);
    if (fstat(fd, stat) == 0 && S_ISREG(stat->st_mode))
        return fd;
    file_close(fd);
    return E_NOT_FOUND;
}

static bool file_is_older(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec < b->st_mtim.tv_sec
                                                  : a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

/* Puts what is compressed beside the file in its place, in the coding that the client likes best of those there are. */
static void file_open_compressed(struct file *f)
{
    static const char *const ENDINGS[CODINGS] = { [CODING_GZIP] = ".gz", [CODING_BROTLI] = ".br" };
    unsigned left = 1u << CODING_GZIP | 1u << CODING_BROTLI;
    coding c;
    while ((c = accept_encoding_best(f->accept, left)) != CODING_IDENTITY) {
        char path[PATH_MAX];
        struct stat found;
        left &= ~(1u << c);
        if ((size_t)snprintf(path, sizeof path, "%s%s", f->path, ENDINGS[c]) >= sizeof path)
            return;
        const int fd = file_open(f->root, path, &found);
        if (fd < 0)
            continue;
        if (!file_is_older(&found, &f->stat)) {
            file_close(f->fd);
            f->fd = fd;
            f->stat = found;
            f->coding = c;
            return;
        }
        file_close(fd);
    }
}

/* A small file is opened, looked at and read in one visit to the pool; a large one waits for its turn
 * before it takes any memory, for a client may ask for many at once and read none. */
static int file_open_and_read(void *arg)
{
    struct file *f = arg;
    const int fd = file_open(f->root, f->path, &f->stat);
    if (fd < 0)
        return fd;
    f->fd = fd;
    file_open_compressed(f);
    if (f->stat.st_size == 0 || f->stat.st_size > PIECE)
        return 0;
    f->room = (size_t)f->stat.st_size;
    f->bytes = mem_resize(NULL, f->room);
    const int err = file_read_piece(f);
    return err == UV_EOF ? 0 : err;          /* it has just been cut short: that shows when it is sent */
}

static async int file_send_pieces(request *req, struct file *f, uint64_t size)
{
    int err = await(respond_piece(req, TEXT("")));           /* its turn: nothing is held before */
    for (f->at = 0; !err && f->at < size; f->at += f->length) {
        f->room = respond_piece_size(req, PIECE);
        f->bytes = mem_resize(f->bytes, f->room);
        err = await(run_in_executor(EXECUTOR_FILES, file_read_piece, f));
        if (err)
            break;
        promise *taken = respond_piece(req, (text){ f->bytes, f->length });
        mem_free(f->bytes);                  /* it has been copied, and a slow reader may take a while */
        f->bytes = NULL;
        err = await(taken);
    }
    return err;
}

static async int file_send(request *req, struct file *f)
{
    char tag[64];
    const bool coded = f->coding != CODING_IDENTITY;
    snprintf(tag, sizeof tag, "\"%llx-%llx%s%s\"", (unsigned long long)f->stat.st_size,
             (unsigned long long)f->stat.st_mtime * 1000000000ull + (unsigned long long)f->stat.st_mtim.tv_nsec,
             coded ? "-" : "", coded ? coding_name(f->coding) : "");
    const int condition = respond_conditions(req, tag, f->stat.st_mtime);
    respond_header(req, "Cache-Control", "no-cache");
    if (media_is_compressible(f->type))
        respond_header(req, "Vary", "Accept-Encoding");
    if (!policy_is_page(f->type))            /* else the answer says so anyway */
        respond_header(req, "X-Content-Type-Options", "nosniff");
    if (condition)
        return condition == 304 ? respond_nothing(req, 304) : condition;
    if (coded)
        respond_header(req, "Content-Encoding", "%s", coding_name(f->coding));

    const uint64_t size = (uint64_t)f->stat.st_size;
    if (f->length == size)
        return respond(req, 200, f->type, (text){ f->bytes ? f->bytes : "", f->length });
    const int err = respond_begin(req, 200, f->type, size);
    return err || text_equal(request_method(req), TEXT("HEAD")) ? err : file_send_pieces(req, f, size);
}

/* Segments that name something: none is empty, hidden, or leads back. */
static bool file_path_is_plain(text path)
{
    const char *at = path.at, *const end = at + path.length;
    for (;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const text segment = { at, (size_t)((slash ? slash : end) - at) };
        if (segment.length == 0 || segment.at[0] == '.')
            return false;
        if (!slash)
            return !memchr(path.at, '\0', path.length);
        at = slash + 1;
    }
}

int respond_file(request *req, int root, text path)
{
    struct file f = { .root = root, .fd = -1 };
    if (!file_path_is_plain(path))
        return E_NOT_FOUND;
    f.path = arena_copy(request_arena(req), path);
    f.type = media_type(f.path);
    f.accept = media_is_compressible(f.type) ? request_list(req, "accept-encoding") : TEXT("");
    int err = await(run_in_executor(EXECUTOR_FILES, file_open_and_read, &f));
    if (!err)
        err = file_send(req, &f);
    if (f.fd >= 0)
        file_close(f.fd);
    mem_free(f.bytes);
    return err;
}
