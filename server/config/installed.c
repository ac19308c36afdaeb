/* installed.c - see installed.h. */
#include "installed.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

/* The length of path without its last part; 0 if it has none before it. */
static int path_above(const char *path, int length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length ? length - 1 : 0;
}

/* length bytes of program, and then name: is there a folder by that name? */
static int path_look(const char *program, int length, const char *name, char *path, size_t size)
{
    char found[PATH_MAX];
    struct stat s;
    const int whole = snprintf(found, sizeof found, "%.*s/%s", length, program, name);

    if (whole >= (int)sizeof found || (size_t)whole >= size || stat(found, &s) || !S_ISDIR(s.st_mode))
        return UV_ENOENT;
    memcpy(path, found, (size_t)whole + 1);
    return 0;
}

int installed_beside(const char *program, char *path, size_t size)
{
    static const char BUILD[] = "/build";
    const int bin = path_above(program, (int)strlen(program));
    int err = path_look(program, path_above(program, bin), "share/tenk/static", path, size);
    for (int at = bin; err && at > 0; at = path_above(program, at)) {
        const int parent = at - (int)strlen(BUILD);
        if (parent >= 0 && memcmp(program + parent, BUILD, strlen(BUILD)) == 0)
            return path_look(program, parent, "static", path, size);
    }
    return err;
}

int installed_static(char *path, size_t size)
{
    char program[PATH_MAX];
    size_t length = sizeof program;
    return uv_exepath(program, &length) ? UV_ENOENT : installed_beside(program, path, size);
}
