/* steps.c - steps as they are written on the command line. */
#include "steps.h"

#include <stdlib.h>
#include <string.h>

bool step_read(const char *text, step *found)
{
    step s = { .closed = strncmp(text, "closed:", 7) == 0 };
    const char *colon = strchr(text, ':');
    char *end;
    if (!s.closed) {
        s.amount = strtod(text, &end);
        s.relative = *end == 'x';
        if (end == text || end + s.relative != colon || !(s.amount > 0))
            return false;
    }
    s.seconds = strtod(colon + 1, &end);
    if (end == colon + 1 || *end || !(s.seconds > 0))
        return false;
    *found = s;
    return true;
}
