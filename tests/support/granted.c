/* granted.c - see granted.h. */
#include "granted.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 6 };                       /* so many times as slow a machine with much else to do may be */

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The seconds in which somebody on this machine waited for a processor, as the kernel counts them (PSI). */
static double contended_s(void)
{
    char words[256] = "";
    const int fd = open("/proc/pressure/cpu", O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd < 0 ? -1 : read(fd, words, sizeof words - 1);
    if (fd >= 0)
        close(fd);
    const char *total = length > 0 ? strstr(words, "total=") : NULL;
    return total ? strtod(total + strlen("total="), NULL) / 1e6 : 0;
}

double granted_s(void) { return now_s() - contended_s() * (1 - 1.0 / PATIENCE); }
