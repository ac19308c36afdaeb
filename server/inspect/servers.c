/* servers.c - see servers.h. */
#include "servers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first bytes of a file below /proc/PROCESS; how many. */
static size_t proc_read(pid_t process, const char *name, char *to, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, to, size - 1) : 0;
    if (fd >= 0)
        close(fd);
    to[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* "tenk", by the name of its file, or where that may not be known by what the kernel calls it. */
static bool process_is_tenk(pid_t process)
{
    char path[64], program[PATH_MAX], name[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)process);
    const ssize_t n = readlink(path, program, sizeof program - 1);
    if (n < 0)
        return proc_read(process, "comm", name, sizeof name) && strcmp(name, "tenk\n") == 0;
    program[n] = '\0';
    const char *const slash = strrchr(program, '/');
    const char *const file = slash ? slash + 1 : program;
    return strcmp(file, "tenk") == 0 || strcmp(file, "tenk (deleted)") == 0;
}

static bool process_is_ours(pid_t process)
{
    struct stat s;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", (int)process);
    return process != getpid() && stat(path, &s) == 0 && (geteuid() == 0 || s.st_uid == geteuid());
}

/* Its words, with blanks between them; false if it is no server by its first one. */
static bool process_serves(pid_t process, bool (*looks)(const char *word), char command[256])
{
    char words[256];
    const size_t length = proc_read(process, "cmdline", words, sizeof words);
    const char *const first = words + strlen(words) + 1;
    if (length == 0 || (first < words + length && (looks(first) || strcmp(first, "--worker-process") == 0)))
        return false;
    for (size_t i = 0; i < length; i++)
        command[i] = words[i] ? isprint((unsigned char)words[i]) ? words[i] : '?' : ' ';
    command[length - (words[length - 1] == '\0')] = '\0';
    return true;
}

int servers_find(found_server found[], int most, bool (*looks)(const char *word))
{
    DIR *const d = opendir("/proc");
    int count = 0;
    for (const struct dirent *e; d && count < most && (e = readdir(d));) {
        const long number = strtol(e->d_name, NULL, 10);
        if (number <= 0 || number > INT_MAX || !process_is_ours((pid_t)number) || !process_is_tenk((pid_t)number))
            continue;
        found[count].process = (pid_t)number;
        count += process_serves((pid_t)number, looks, found[count].command);
    }
    if (d)
        closedir(d);
    return count;
}
