/* axis.c - see picture.h: the scale of time, in one unit, which suits the longest there is. */
#include "picture.h"

#include <stdio.h>

static const struct { uint32_t us; const char *name; } UNITS[] = { { 1, "\xc2\xb5s" }, { 1000, "ms" }, { 1000000, "s" } };

double axis_at(const picture *p, uint32_t us) { return 100.0 * us / p->total; }

static int axis_unit(uint32_t us) { return us < 1000 ? 0 : us < 10000000 ? 1 : 2; }

static void axis_write_number(char to[32], uint32_t us, int unit)
{
    snprintf(to, 32, "%.*f", 3 * unit, (double)us / UNITS[unit].us);
    if (unit > 0) {
        size_t n = strlen(to);
        while (to[n - 1] == '0')
            n--;
        to[to[n - 1] == '.' ? n - 1 : n] = '\0';
    }
}

const char *gallery_time(char to[32], uint32_t us)
{
    const int unit = axis_unit(us);
    const uint32_t tenth = unit > 0 ? UNITS[unit].us / 10 : 1;
    axis_write_number(to, us / tenth * tenth, unit);
    strcat(strcat(to, " "), UNITS[unit].name);
    return to;
}

/* 1, 2 or 5 of a power of ten, at most eight of them. */
static uint32_t axis_step(uint32_t total)
{
    static const uint64_t FIRST[] = { 1, 2, 5 };
    for (uint64_t ten = 1;; ten *= 10)
        for (int i = 0; i < 3; i++)
            if (FIRST[i] * ten * 8 >= total)
                return (uint32_t)(FIRST[i] * ten);
}

/* The last number has the unit. A narrow screen leaves out each other one, but neither the first nor the last (.fine). */
void axis_draw(const picture *p)
{
    const uint32_t step = axis_step(p->total), last = p->total / step;
    char number[32];
    for (uint32_t i = 0; i <= last; i++) {
        const double x = axis_at(p, i * step);
        const char *fine = i > 0 && (last - i) % 2 ? " fine" : "";
        axis_write_number(number, i * step, axis_unit(p->total));
        buffer_printf(p->b, "<line class=\"grid%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"18\" y2=\"%.0f\"/>"
                            "<text class=\"soft%s\" x=\"%.2f%%\" y=\"11\" text-anchor=\"%s\">%s%s%s</text>\n",
                      fine, x, x, p->height, fine, x, i == 0 ? "start" : x > 94 ? "end" : "middle", number,
                      i == last ? " " : "", i == last ? UNITS[axis_unit(p->total)].name : "");
    }
}
