/* machine.c - see machine.h. */
#include "machine.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int read_first_line(const char *path, char *line, int size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    const int read = fgets(line, size, f) != NULL;
    fclose(f);
    return read;
}

int machine_quota(const char *cpu_max)
{
    long quota, period;
    if (sscanf(cpu_max, "%ld %ld", &quota, &period) != 2 || quota <= 0 || period <= 0)
        return 0;
    const long count = quota / period + (quota % period != 0);
    return count > INT_MAX ? 0 : (int)count;
}

/* The least quota of the process's own cgroup and of those around it. */
static int cgroup_quota(void)
{
    char group[PATH_MAX], path[PATH_MAX + 64], line[64];
    int least = 0;
    if (!read_first_line("/proc/self/cgroup", group, sizeof group) || strncmp(group, "0::/", 4) != 0)
        return 0;
    group[strcspn(group, "\n")] = '\0';
    char *const inner = group + 3;
    for (char *end = inner + strlen(inner); end; end = strrchr(inner, '/')) {
        *end = '\0';
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", inner);
        const int quota = read_first_line(path, line, sizeof line) ? machine_quota(line) : 0;
        if (quota && (!least || quota < least))
            least = quota;
    }
    return least;
}

int machine_processors(void)
{
    cpu_set_t mine;
    int count = sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine)
                                                              : (int)sysconf(_SC_NPROCESSORS_ONLN);
    const int quota = cgroup_quota();
    if (quota && quota < count)
        count = quota;
    return count < 1 ? 1 : count;
}

int machine_open_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)files.rlim_cur;
}

void machine_raise_open_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);    /* on an error the old limit stands, and will do */
    }
}
