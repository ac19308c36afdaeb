/* privileges.c - see privileges.h. */
#include "privileges.h"
#include "server/base/units.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

static const struct passwd *user_of(const char *name)
{
    uint64_t number;
    const struct passwd *found = getpwnam(name);
    if (!found && units_number(name, &number) == 0 && number < UINT_MAX)
        found = getpwuid((uid_t)number);
    return found;
}

int privileges_drop(const char *name, char *why, size_t size)
{
    errno = 0;
    const struct passwd *user = user_of(name);
    if (!user) {
        snprintf(why, size, "[server] user: there is no user '%s'", name);
        return UV_ENOENT;
    }
    if (geteuid() == user->pw_uid && getuid() == user->pw_uid)
        return 0;
    if (geteuid() != 0) {
        snprintf(why, size, "[server] user: only root can become '%s'", name);
        return UV_EPERM;
    }
    if (initgroups(user->pw_name, user->pw_gid) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid)) {
        const int err = -errno;
        snprintf(why, size, "[server] user: cannot become '%s': %s", name, uv_strerror(err));
        return err;
    }
    return 0;
}

bool privileges_are_roots(void) { return geteuid() == 0; }

void privileges_gain_no_more(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
