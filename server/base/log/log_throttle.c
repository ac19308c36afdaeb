/* log_throttle.c - see log_throttle.h. */
#include "log_throttle.h"

#include <stddef.h>

static const uint64_t SECOND = 1000000000;

static bool throttled_is_over(const throttled *k, uint64_t now) { return now >= k->since + SECOND; }

throttled *throttle_hold(throttle *t, uint64_t kind, unsigned most, uint64_t now)
{
    throttled *room = NULL;
    for (int i = 0; i < THROTTLE_KINDS; i++) {
        throttled *k = &t->kinds[i];
        if (k->passed > 0 && k->kind == kind && !throttled_is_over(k, now)) {
            if (k->passed < most) {
                k->passed++;
                return NULL;
            }
            k->more++;
            return k;
        }
        if (k->passed == 0 || (throttled_is_over(k, now) && k->more == 0))
            room = k;
    }
    if (room)
        *room = (throttled){ .kind = kind, .since = now, .passed = 1, .text = t->texts[room - t->kinds] };
    return NULL;
}

bool throttle_due(throttle *t, uint64_t now, throttled *due)
{
    for (int i = 0; i < THROTTLE_KINDS; i++) {
        throttled *k = &t->kinds[i];
        if (k->more == 0 || !throttled_is_over(k, now))
            continue;
        *due = *k;
        k->passed = k->more = 0;
        return true;
    }
    return false;
}

bool throttle_holds(const throttle *t)
{
    for (int i = 0; i < THROTTLE_KINDS; i++)
        if (t->kinds[i].more > 0)
            return true;
    return false;
}

uint64_t throttle_kind(const char *text)     /* FNV-1a */
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}
