/* failing_watch.h - a system that lets no more descriptors be watched (/proc/sys/fs/epoll/max_user_watches).
 *
 * epoll_ctl, before libc's. Only sockets of the Unix domain and timers' descriptors cannot be watched: libuv ends the
 * process if it is refused one of its own. */
#ifndef FAILING_WATCH_H
#define FAILING_WATCH_H

extern int failing_watch;                    /* an errno; 0: all is as usual */

#endif
