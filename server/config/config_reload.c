/* config_reload.c - see config_reload.h. */
#include "config_reload.h"
#include "config_reading.h"
#include "redaction.h"
#include "server/base/memory.h"

#include <string.h>

static bool is_auto(const config *c, const setting *s)
{
    return setting_may_be_auto(s) && strcmp(reading_origin(c, s)->text, "auto") == 0;
}

static void tell(const config *old, const config *c, const setting *s, config_change *changed, void *arg)
{
    const char *before = reading_origin(old, s)->text, *now = reading_origin(c, s)->text;
    if (strcmp(before, now) == 0)
        return;
    char *const shown_before = s->type == SETTING_URL ? redaction_mask(before) : mem_copy(before);
    char *const shown_now = s->type == SETTING_URL ? redaction_mask(now) : mem_copy(now);
    changed(arg, s, shown_before, shown_now);
    mem_free(shown_before);
    mem_free(shown_now);
}

int config_reload(config *c, const config *old, const config_sources *sources, FILE *errors, config_change *changed, void *arg)
{
    config fresh;
    const int err = config_load(&fresh, sources, errors);
    if (err)
        return err;
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++) {
        tell(old, &fresh, s, changed, arg);
        if (!s->live)
            setting_copy(s, &fresh, old);
    }
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
        if (s->live && is_auto(&fresh, s))
            setting_resolve(s, &fresh);      /* it may follow one that has just been put back */
    *c = fresh;
    return 0;
}
