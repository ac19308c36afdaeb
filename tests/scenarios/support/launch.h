/* launch.h - what is unusual about the next process that server_start or tenk_run starts. */
#ifndef TESTS_LAUNCH_H
#define TESTS_LAUNCH_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

void next_errors_to(int fd);                 /* its standard error is that */
void next_without(int fd);                   /* it starts with this one of its standard files closed */
void next_limited(int resource, rlim_t most);            /* RLIMIT_..., one of them */
void next_as_user(uid_t user);               /* needs root */
void next_without_ipv6(void);                /* as on a kernel that has none */
void next_shown(const char *file, const char *as);       /* it finds that file at the path as; after mount_or_skip */
void next_in_cgroup(const char *folder);     /* of a cgroup file system */

void next_listening(int fd);                 /* it is given that socket, as a service manager does (sd_listen_fds(3)) */

/* For server.c. */
typedef struct terms {
    int         errors, resource, listening; /* 0: none */
    rlim_t      most;
    uid_t       user;
    bool        limited, without[3], no_ipv6;
    const char *shown, *as, *cgroup;
} terms;

terms next_terms(void);                      /* from now on, nothing is unusual any more */
void  terms_apply(const terms *t);           /* in the new process, before the program */

#endif
