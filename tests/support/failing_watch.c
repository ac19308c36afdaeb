/* failing_watch.c - see failing_watch.h. */
#include "failing_watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

int failing_watch;

static bool may_fail(int fd)
{
    int domain = 0;
    struct itimerspec t;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof domain });
    return domain == AF_UNIX || timerfd_gettime(fd, &t) == 0;
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    if (failing_watch && may_fail(fd)) {
        errno = failing_watch;
        return -1;
    }
    return ((typeof(&epoll_ctl))dlsym(RTLD_NEXT, "epoll_ctl"))(epoll, op, fd, event);
}
