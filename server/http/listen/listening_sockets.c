/* listening_sockets.c - see listening_sockets.h. */
#include "listening_sockets.h"
#include "server/base/memory.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct listed {
    int                     fd;
    listening_socket_source source;
    bool                    untaken;
} listed;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;     /* of all below */
static listed *list;
static int     count, room;
static bool    handed_on;

static bool is_unix(int fd)
{
    struct sockaddr_storage own = { 0 };
    return getsockname(fd, (struct sockaddr *)&own, &(socklen_t){ sizeof own }) == 0 && own.ss_family == AF_UNIX;
}

static listed *listed_find(int fd)
{
    for (int i = 0; i < count; i++)
        if (list[i].fd == fd)
            return &list[i];
    return NULL;
}

static void listed_remove(listed *l)
{
    *l = list[--count];
    if (count == 0) {
        mem_free(list);
        list = NULL;
        room = 0;
    }
}

void listening_sockets_add(int fd, listening_socket_source source)
{
    const bool given = source == LISTENING_FROM_TENK || source == LISTENING_FROM_MANAGER;
    pthread_mutex_lock(&lock);
    if (count == room)
        list = mem_resize(list, (size_t)(room = room ? 2 * room : 8) * sizeof *list);
    list[count++] = (listed){ .fd = fd, .source = source, .untaken = given };
    pthread_mutex_unlock(&lock);
}

/* Port 0 of at becomes that of the first that is found, for all of a group have the same. */
static bool is_at(int fd, struct sockaddr_storage *at)
{
    struct sockaddr_storage own = { 0 };
    socklen_t length = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &length) || own.ss_family != at->ss_family)
        return false;
    if (at->ss_family == AF_UNIX)            /* which is padded with zeros; a path ends with one */
        return memcmp(&own, at, sizeof(struct sockaddr_un)) == 0;
    in_port_t *port, of;
    bool same = false;
    if (at->ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)&own;
        struct sockaddr_in *b = (struct sockaddr_in *)at;
        same = a->sin_addr.s_addr == b->sin_addr.s_addr;
        of = a->sin_port, port = &b->sin_port;
    } else if (at->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&own;
        struct sockaddr_in6 *b = (struct sockaddr_in6 *)at;
        same = memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
        of = a->sin6_port, port = &b->sin6_port;
    }
    if (same && *port == 0)
        *port = of;
    return same && *port == of;
}

/* As the ones that were opened here: whoever gave them may not know. */
static void prepare(int fd)
{
    const int on = 1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static bool is_the_managers(const listed *l, const struct sockaddr_storage *at)
{
    return l->source == LISTENING_FROM_MANAGER && is_unix(l->fd) == (at->ss_family == AF_UNIX);
}

int listening_sockets_take(const struct sockaddr *address, socklen_t length, int **fds)
{
    struct sockaddr_storage at = { 0 };
    int taken = 0;
    memcpy(&at, address, length);
    *fds = NULL;
    pthread_mutex_lock(&lock);
    for (int pass = 0; pass < 2 && taken == 0; pass++)
        for (int i = 0; i < count; i++) {
            listed *const l = &list[i];
            if (!l->untaken || !(pass == 0 ? is_at(l->fd, &at) : is_the_managers(l, &at)))
                continue;
            *fds = mem_resize(*fds, (size_t)(taken + 1) * sizeof **fds);
            (*fds)[taken++] = l->fd;
            l->untaken = false;
            prepare(l->fd);
        }
    pthread_mutex_unlock(&lock);
    return taken;
}

int listening_sockets_close_untaken(void)
{
    int closed = 0;
    pthread_mutex_lock(&lock);
    for (int i = count; i-- > 0;)
        if (list[i].untaken) {
            close(list[i].fd);
            listed_remove(&list[i]);
            closed++;
        }
    pthread_mutex_unlock(&lock);
    return closed;
}

void listening_socket_close(int fd)
{
    pthread_mutex_lock(&lock);
    listed *l = listed_find(fd);
    if (l)
        listed_remove(l);
    close(fd);
    pthread_mutex_unlock(&lock);
}

bool listening_socket_stays(int fd)
{
    pthread_mutex_lock(&lock);
    const listed *l = listed_find(fd);
    const bool stays = handed_on || (l && l->source == LISTENING_FROM_MANAGER);
    pthread_mutex_unlock(&lock);
    return stays;
}

int listening_sockets_send(int (*send)(void *arg, const int fds[], int count), void *arg)
{
    pthread_mutex_lock(&lock);
    int *fds = mem_alloc((size_t)(count + 1) * sizeof *fds), n = 0;
    for (int i = 0; i < count; i++)
        if (list[i].source != LISTENING_SHARED)
            fds[n++] = list[i].fd;
    const int err = send(arg, fds, n);
    pthread_mutex_unlock(&lock);
    mem_free(fds);
    return err;
}

bool listening_sockets_are_handed_on(void)
{
    pthread_mutex_lock(&lock);
    const bool are = handed_on;
    pthread_mutex_unlock(&lock);
    return are;
}

void listening_sockets_set_handed_on(void)
{
    pthread_mutex_lock(&lock);
    handed_on = true;
    pthread_mutex_unlock(&lock);
}
