/* progress.c - see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 30 };

void progress_show(const char *what, int done, int whole)
{
    static const char FULL[] = "##############################", EMPTY[] = "..............................";
    if (!isatty(STDERR_FILENO))
        return;
    const int filled = (int)((long)WIDTH * done / whole);
    fprintf(stderr, "\r%s [%.*s%.*s] %3ld%%", what, filled, FULL, WIDTH - filled, EMPTY, 100L * done / whole);
    fflush(stderr);
}

void progress_clear(void)
{
    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}
