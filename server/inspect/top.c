/* top.c - see top.h. */
#include "top.h"
#include "report.h"
#include "snapshot.h"
#include "server/async/observe/loop_latency.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

enum { PERIOD = 1000, PERIOD_ONCE = 250, LINES = 24, COLUMNS = 200 };

_Static_assert(SEEN_LATENCIES - LOOP_LATENCY_BUCKETS >= 0, "a snapshot has room for all of them");

/* Processor time of a process, or of one thread of it, in ticks. */
static uint64_t ticks_of(pid_t process, pid_t thread)
{
    char path[64], line[512];
    unsigned long long user = 0, kernel = 0;
    if (thread)
        snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)process, (int)thread);
    else
        snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    const char *const text = fgets(line, sizeof line, f);
    const char *const name_end = text ? strrchr(text, ')') : NULL;   /* a name may have blanks in it */
    if (name_end && sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &kernel) != 2)
        user = kernel = 0;
    fclose(f);
    return user + kernel;
}

static double percent(uint64_t now, uint64_t before, uint64_t ns)
{
    return now > before && ns ? (double)(now - before) * 1e11 / (double)sysconf(_SC_CLK_TCK) / (double)ns : 0;
}

/* What was counted at a look, to be compared with the next one. */
typedef struct counted {
    uint64_t  at, ticks, *loop_ticks;
    seen_loop *loops;
    size_t    count;
} counted;

static void counted_free(counted *c)
{
    free(c->loop_ticks);
    free(c->loops);
}

static counted counted_of(const snapshot *s)
{
    counted c = { .at = uv_hrtime(), .ticks = ticks_of(target_process(s->target), 0), .count = s->loop_count };
    c.loop_ticks = calloc(c.count + 1, sizeof *c.loop_ticks);
    c.loops = calloc(c.count + 1, sizeof *c.loops);
    if (!c.loops || !c.loop_ticks)
        c.count = 0;
    for (size_t i = 0; i < c.count; i++) {
        c.loops[i] = s->loops[i];
        c.loop_ticks[i] = ticks_of(target_process(s->target), s->loops[i].thread);
    }
    return c;
}

/* Within how many milliseconds that part of the turns ended, by the bounds of the buckets. */
static uint64_t bound_of(const uint64_t turns[LOOP_LATENCY_BUCKETS], uint64_t all, double part)
{
    uint64_t seen = 0;
    int i = 0;
    while (i < LOOP_LATENCY_BUCKETS - 1 && (double)(seen += turns[i]) < part * (double)all)
        i++;
    return loop_latency_bound(i);
}

static void write_bound(FILE *out, const char *what, uint64_t ms)
{
    if (ms == UINT64_MAX)
        fprintf(out, ", %s longer than can be told", what);
    else
        fprintf(out, ", %s below %llu ms", what, (unsigned long long)ms);
}

static void write_loop_rates(const counted *now, const counted *before, size_t i, FILE *out)
{
    uint64_t turns[LOOP_LATENCY_BUCKETS], all = 0;
    const uint64_t ns = now->at - before->at;
    for (int b = 0; b < LOOP_LATENCY_BUCKETS; b++)
        all += turns[b] = now->loops[i].latencies[b] - before->loops[i].latencies[b];
    fprintf(out, "loop %d: CPU %.0f %%, %.0f turns/s", now->loops[i].number,
            percent(now->loop_ticks[i], before->loop_ticks[i], ns), (double)all * 1e9 / (double)ns);
    if (all) {
        write_bound(out, "half of them", bound_of(turns, all, 0.5));
        write_bound(out, "99 of 100", bound_of(turns, all, 0.99));
        write_bound(out, "all", bound_of(turns, all, 1));
    }
    fputc('\n', out);
}

static void write_rates(const counted *now, const counted *before, FILE *out)
{
    fprintf(out, "CPU %.0f %%\n", percent(now->ticks, before->ticks, now->at - before->at));
    for (size_t i = now->count; i-- > 0;)
        if (i < before->count && now->loops[i].thread == before->loops[i].thread)
            write_loop_rates(now, before, i, out);
}

static void screen_size(FILE *out, int *lines, int *columns)
{
    struct winsize w = { 0 };
    const bool known = ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_row > 4 && w.ws_col > 20;
    *lines = known ? w.ws_row : LINES;
    *columns = known ? w.ws_col : COLUMNS;
}

/* As much of a page as a screen has room for. */
static void show(const char *page, bool screen, FILE *out)
{
    int lines, columns;
    screen_size(out, &lines, &columns);
    if (screen)
        fputs("\x1b[H\x1b[2J", out);
    for (int i = 1; *page && (i < lines || !screen); i++) {
        const int length = (int)strcspn(page, "\n");
        fprintf(out, "%.*s\n", screen && length > columns ? columns : length, page);
        page += length + (page[length] == '\n');
    }
    fflush(out);
}

static void draw(const snapshot *s, const counted *now, const counted *before, bool screen, FILE *out)
{
    char *page = NULL;
    size_t size;
    FILE *const f = open_memstream(&page, &size);
    if (!f)
        return;
    report_head(s, f);
    write_rates(now, before, f);
    report_oldest(s, 100, f);
    fclose(f);
    show(page, screen, out);
    free(page);
}

int top_run(target *t, bool once, FILE *out, char *why, size_t size)
{
    const bool screen = !once && isatty(fileno(out));
    counted before = { 0 };
    for (int look = 0;; look++) {
        snapshot s;
        const int err = snapshot_take(&s, t, why, size);
        if (err) {
            counted_free(&before);
            return look ? 0 : err;
        }
        const counted now = counted_of(&s);
        if (look > 0)
            draw(&s, &now, &before, screen, out);
        counted_free(&before);
        before = now;
        snapshot_free(&s);
        if ((once && look > 0) || ferror(out))
            break;
        poll(NULL, 0, once || look == 0 ? PERIOD_ONCE : PERIOD);
    }
    counted_free(&before);
    return 0;
}
