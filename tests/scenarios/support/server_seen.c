/* server_seen.c - what the kernel tells of the server: see server.h. */
#include "server.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

long server_resident(void)
{
    long pages = 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)here.pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Does it lead to the database, which threads of the server open in their own time? */
static bool is_of_database(int folder, const char *name)
{
    char target[512];
    const ssize_t n = readlinkat(folder, name, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    return strstr(target, "/tenk.db");       /* and what SQLite has beside it */
}

int server_descriptors(void)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)here.pid);
    DIR *d = opendir(path);
    for (const struct dirent *entry; d && (entry = readdir(d));)
        count += entry->d_name[0] != '.' && !is_of_database(dirfd(d), entry->d_name);
    if (d)
        closedir(d);
    return count;
}
