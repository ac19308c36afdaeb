/* samples.c - see samples.h. */
#include "samples.h"

#include "tests/scenarios/scenarios.h"

#include <stdlib.h>
#include <string.h>

static double sample_in(const char *page, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = page; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && at[length] == ' ')
            return strtod(at + length, NULL);
    return -1;
}

double sample(const char *name)
{
    const answer a = get("/metrics");
    expect(a, 200, "text/plain; version=0.0.4");
    return sample_in(a.body, name);
}

void expect_sample(const char *name, double value)
{
    const double is = sample(name);
    ck_assert_msg(is == value, "%s is %g, not %g", name, is, value);
}
