/* memory_use.c - see memory_use.h. */
#include "memory_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { AT_ONCE = 4096 };                     /* pages */

size_t memory_resident(const void *from, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *at = (char *)((uintptr_t)from & ~(uintptr_t)(page - 1)), *end = (char *)from + size;
    size_t resident = 0;
    while (at < end) {
        unsigned char there[AT_ONCE];
        const size_t left = ((size_t)(end - at) + page - 1) / page, pages = left < AT_ONCE ? left : AT_ONCE;
        if (mincore(at, pages * page, there))
            return 0;
        for (size_t i = 0; i < pages; i++)
            resident += there[i] & 1;
        at += pages * page;
    }
    return resident * page;
}

static int64_t file_number(const char *path, const char *line)
{
    char row[128];
    const size_t length = strlen(line);
    int64_t found = 0;
    FILE *f = fopen(path, "re");
    while (f && fgets(row, sizeof row, f))
        if (strncmp(row, line, length) == 0 && row[length] == ':')
            found = strtoll(row + length + 1, NULL, 10);
    if (f)
        fclose(f);
    return found;
}

int64_t memory_of_process(const char *line) { return file_number("/proc/self/status", line); }
int64_t memory_of_machine(const char *line) { return file_number("/proc/meminfo", line); }
