/* process_figures.c - see process_figures.h. */
#include "process_figures.h"
#include "server/base/machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fields 22 and 23 of /proc/self/stat (proc(5)); what is before the last ) may have spaces in it. */
static void read_stat(unsigned long long *started, unsigned long long *size)
{
    char line[1024];
    FILE *f = fopen("/proc/self/stat", "re");
    const char *at = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    if (at)
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu %llu", started, size);
    if (f)
        fclose(f);
}

static unsigned long long booted(void)       /* seconds since 1970 */
{
    char line[256];
    unsigned long long at = 0;
    FILE *f = fopen("/proc/stat", "re");
    while (f && !at && fgets(line, sizeof line, f))
        sscanf(line, "btime %llu", &at);
    if (f)
        fclose(f);
    return at;
}

process_figures process_figures_take(void)
{
    unsigned long long started = 0, size = 0;
    read_stat(&started, &size);
    const double since_boot = (double)started / (double)sysconf(_SC_CLK_TCK);
    return (process_figures){ account_take(), size, (uint64_t)machine_files_in_use(), (double)booted() + since_boot };
}
