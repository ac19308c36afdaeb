/* slices.c - an array that grows by one slice after the other. */
#include "slices.h"

#include "fail.h"

#include <string.h>

static struct {
    slice *all;
    int count, room;
    int64_t begin, width;
} here;

void slices_start(int64_t begin, int64_t width)
{
    here.begin = begin;
    here.width = width;
}

slice *slice_at(int64_t when)
{
    const int n = when > here.begin ? (int)((when - here.begin) / here.width) : 0;
    if (n >= here.room) {
        const int room = n < 256 ? 512 : 2 * n;
        here.all = realloc(here.all, (size_t)room * sizeof *here.all);
        if (!here.all)
            fail("no memory");
        memset(here.all + here.room, 0, (size_t)(room - here.room) * sizeof *here.all);
        here.room = room;
    }
    if (n >= here.count)
        here.count = n + 1;
    return &here.all[n];
}

void slices_print(FILE *out)
{
    for (int n = 0; n < here.count; n++) {
        const slice *s = &here.all[n];
        fprintf(out,
                "{\"at\": %lld, \"offered\": %ld, \"sent\": %ld, \"unsent\": %ld, \"missed\": %ld, "
                "\"late\": %ld, \"good\": %ld, \"refused\": %ld, \"other\": %ld, \"broken\": %ld, "
                "\"lag_us\": %lld, \"times_us\": ",
                (long long)(here.begin + n * here.width), s->offered, s->sent, s->unsent, s->missed,
                s->late, s->good, s->refused, s->other, s->broken, (long long)s->lag);
        histogram_print(&s->times, out);
        fputs("}\n", out);
    }
}
