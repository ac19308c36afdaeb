/* installed.c - see installed.h. */
#include "installed.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

/* The length of path without its last part; 0 if it has none before it. */
static int above(const char *path, int length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length ? length - 1 : 0;
}

int installed_beside(const char *program, char *path, size_t size)
{
    char found[PATH_MAX];
    struct stat s;
    const int bin = above(program, (int)strlen(program));
    const int length = snprintf(found, sizeof found, "%.*s/share/tenk/static", above(program, bin), program);

    if (length >= (int)sizeof found || (size_t)length >= size || stat(found, &s) || !S_ISDIR(s.st_mode))
        return UV_ENOENT;
    memcpy(path, found, (size_t)length + 1);
    return 0;
}

int installed_static(char *path, size_t size)
{
    char program[PATH_MAX];
    size_t length = sizeof program;
    return uv_exepath(program, &length) ? UV_ENOENT : installed_beside(program, path, size);
}
