/* machine.c - see machine.h. */
#include "machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
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

static int processors_granted(long quota, long period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    const long count = quota / period + (quota % period != 0);
    return count > INT_MAX ? 0 : (int)count;
}

int machine_quota(const char *cpu_max)
{
    long quota, period;
    return sscanf(cpu_max, "%ld %ld", &quota, &period) == 2 ? processors_granted(quota, period) : 0;
}

/* Calls look with the path of each folder of a cgroup that holds this process: its own, and those around it. A line of
 * /proc/self/cgroup names one hierarchy: "0::PATH" that of version 2, "ID:CONTROLLERS:PATH" one of version 1, of which
 * a machine may have a few, beside that of version 2 or without it (cgroups(7)). */
static void cgroup_each(void (*look)(const char *folder, void *arg), void *arg)
{
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX], folder[PATH_MAX + 32];
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *const controllers = strchr(line, ':'), *const inner = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!inner)
            continue;
        *controllers = *inner = '\0';
        for (char *end = inner + 1 + strlen(inner + 1); end; end = strrchr(inner + 1, '/')) {
            *end = '\0';
            snprintf(folder, sizeof folder, "/sys/fs/cgroup/%s%s", controllers + 1, inner + 1);
            look(folder, arg);
        }
    }
    if (f)
        fclose(f);
}

static int cgroup_read(const char *folder, const char *name, char *line, int size)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_first_line(path, line, size);
}

static void cgroup_look_at_quota(const char *folder, void *least)
{
    char line[64], period[64];
    int quota = 0;
    if (cgroup_read(folder, "cpu.max", line, sizeof line))
        quota = machine_quota(line);
    else if (cgroup_read(folder, "cpu.cfs_quota_us", line, sizeof line) &&
             cgroup_read(folder, "cpu.cfs_period_us", period, sizeof period))
        quota = processors_granted(atol(line), atol(period));
    if (quota && (!*(int *)least || quota < *(int *)least))
        *(int *)least = quota;
}

int machine_processors(void)
{
    cpu_set_t mine;
    int count = sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine)
                                                              : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = 0;                           /* the least of the process's own cgroup and of those around it */
    cgroup_each(cgroup_look_at_quota, &quota);
    if (quota && quota < count)
        count = quota;
    return count < 1 ? 1 : count;
}

/* What is left of a limit: UINT64_MAX if there is none. */
static uint64_t limit_left(uint64_t limit, uint64_t used) { return limit > used ? limit - used : 0; }

/* The same in a cgroup, of which one file holds the limit, or "max" (version 1: as many pages as fit), and another what
 * is used. */
static uint64_t cgroup_left(const char *folder, const char *limit, const char *used)
{
    char line[64];
    unsigned long long most, now = 0;
    if (!cgroup_read(folder, limit, line, sizeof line) || sscanf(line, "%llu", &most) != 1)
        return UINT64_MAX;
    if (cgroup_read(folder, used, line, sizeof line))
        sscanf(line, "%llu", &now);
    return limit_left(most, now);
}

struct least { uint64_t threads, touched; };

static void cgroup_look_at_threads(const char *folder, void *arg)
{
    struct least *l = arg;
    const uint64_t tasks = cgroup_left(folder, "pids.max", "pids.current");
    const uint64_t new = cgroup_left(folder, "memory.max", "memory.current");
    const uint64_t old = cgroup_left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes");
    const uint64_t memory = new < old ? new : old;
    if (tasks < l->threads)
        l->threads = tasks;
    if (memory < UINT64_MAX && memory / l->touched < l->threads)
        l->threads = memory / l->touched;
}

/* Of limits of the machine as a whole: each thread has two mappings, its stack and the guard below it. */
static void threads_by_kernel(struct least *l)
{
    char line[64];
    unsigned long long n;
    if (read_first_line("/proc/sys/vm/max_map_count", line, sizeof line) && sscanf(line, "%llu", &n) == 1 && n / 3 < l->threads)
        l->threads = n / 3;
    if (read_first_line("/proc/sys/kernel/threads-max", line, sizeof line) && sscanf(line, "%llu", &n) == 1 && n < l->threads)
        l->threads = n;
}

static uint64_t limit_of(int resource)
{
    struct rlimit l;
    return getrlimit(resource, &l) || l.rlim_cur == RLIM_INFINITY ? UINT64_MAX : l.rlim_cur;
}

uint64_t machine_memory_left(void)
{
    const uint64_t space = limit_of(RLIMIT_AS), data = limit_of(RLIMIT_DATA), page = (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned long long all, own;
    char line[128];
    if (space == UINT64_MAX && data == UINT64_MAX)
        return UINT64_MAX;
    if (!read_first_line("/proc/self/statm", line, sizeof line) || sscanf(line, "%llu %*u %*u %*u %*u %llu", &all, &own) != 2)
        return UINT64_MAX;
    const uint64_t of_space = space == UINT64_MAX ? space : limit_left(space, all * page);
    const uint64_t of_data = data == UINT64_MAX ? data : limit_left(data, own * page);
    return of_space < of_data ? of_space : of_data;
}

int machine_threads(uint64_t size, uint64_t touched)
{
    struct least l = { UINT64_MAX, touched };
    const uint64_t left = machine_memory_left();
    if (left < UINT64_MAX)
        l.threads = left / size;
    cgroup_each(cgroup_look_at_threads, &l);
    threads_by_kernel(&l);
    struct rlimit tasks;                     /* of all processes of the user; and not for the superuser */
    if (getuid() != 0 && getrlimit(RLIMIT_NPROC, &tasks) == 0 && tasks.rlim_cur < l.threads)
        l.threads = tasks.rlim_cur;
    return l.threads > INT_MAX ? INT_MAX : (int)l.threads;
}

void machine_open_standard_files(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)     /* each gets the lowest that is free */
        ;
    if (fd > STDERR_FILENO)
        close(fd);
}

int machine_open_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)files.rlim_cur;
}

/* But for the one by which they are counted, and the two names of folders. */
int machine_files_in_use(void)
{
    int count = -3;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count > 0 ? count : 0;
}

void machine_raise_open_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);    /* on an error the old limit stands, and will do */
    }
}
