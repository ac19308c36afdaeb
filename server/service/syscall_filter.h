/* syscall_filter.h - the kernel refuses this process the system calls that it does not need (seccomp(2), by libseccomp).
 *
 * Whoever gets into a server by a mistake in it gets to what the kernel offers to all, and that is much more than a server
 * uses. So what is not on the list fails with EPERM, here and in each process that is started from here: to mount, to trace,
 * to load modules, to change who it is, sockets of other families than unix, IPv4, IPv6 and netlink (by which libc looks up
 * addresses), and all that is yet to come. */
#ifndef SYSCALL_FILTER_H
#define SYSCALL_FILTER_H

#include <stddef.h>

/* For good. Before any other thread. 0, or an error after saying in why what is wrong. */
int syscall_filter_install(char *why, size_t size);

#endif
