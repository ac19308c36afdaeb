/* delay.c - see delay.h. */
#include "delay.h"
#include "pair.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

typedef struct mark {
    int64_t due;                             /* in nanoseconds */
    pair   *pair;
    size_t  length;
    int     which;
} mark;

static struct {
    int     timer;
    int64_t delay;
    mark   *marks;                           /* a ring */
    size_t  size, first, held;
} line;

int delay_open(int64_t nanoseconds)
{
    line.delay = nanoseconds;
    return line.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

void delay_add(pair *p, int which, size_t length)
{
    if (line.delay == 0) {
        pair_due(p, which, length);
        return;
    }
    if (line.held == line.size) {
        const size_t grown = line.size ? line.size * 2 : 1024;
        mark *marks = need(malloc(grown * sizeof *marks));
        for (size_t i = 0; i < line.held; i++)
            marks[i] = line.marks[(line.first + i) % line.size];
        free(line.marks);
        line.marks = marks;
        line.size = grown;
        line.first = 0;
    }
    line.marks[(line.first + line.held++) % line.size] = (mark){ now() + line.delay, p, length, which };
    p->marks++;
}

void delay_deliver(void)
{
    while (line.held > 0 && line.marks[line.first].due <= now()) {
        const mark m = line.marks[line.first];
        line.first = (line.first + 1) % line.size;
        line.held--;
        m.pair->marks--;
        pair_due(m.pair, m.which, m.length);
    }
    struct itimerspec at = { 0 };
    if (line.held > 0) {
        at.it_value.tv_sec = line.marks[line.first].due / 1000000000;
        at.it_value.tv_nsec = line.marks[line.first].due % 1000000000;
    }
    timerfd_settime(line.timer, TFD_TIMER_ABSTIME, &at, NULL);
}
