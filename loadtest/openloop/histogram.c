/* histogram.c - classes of times: the position of the highest bit, and the five bits below it. */
#include "histogram.h"

enum { BITS = 5, EACH = 1 << BITS };

static int class_of(uint64_t us)
{
    if (us < EACH)
        return (int)us;
    const int highest = 63 - __builtin_clzll(us);
    const int class = (highest - BITS + 1) * EACH + (int)(us >> (highest - BITS)) % EACH;
    return class < HISTOGRAM_CLASSES ? class : HISTOGRAM_CLASSES - 1;
}

static uint64_t largest_of(int class)
{
    const int shift = class < EACH ? 0 : class / EACH - 1;
    return (((uint64_t)(class < EACH ? 0 : EACH) + (uint64_t)(class % EACH) + 1) << shift) - 1;
}

void histogram_add(histogram *h, int64_t us) { h->counts[class_of(us > 0 ? (uint64_t)us : 0)]++; }

void histogram_print(const histogram *h, FILE *out)
{
    const char *comma = "";
    fputc('{', out);
    for (int class = 0; class < HISTOGRAM_CLASSES; class ++)
        if (h->counts[class] > 0) {
            fprintf(out, "%s\"%llu\": %u", comma, (unsigned long long)largest_of(class),
                    h->counts[class]);
            comma = ", ";
        }
    fputc('}', out);
}
