/* setting_value.c - from the text of a setting to its member in a config; see settings.h. */
#include "settings.h"

#include "endpoint.h"
#include "network_list.h"
#include "server/base/units.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static void *setting_member(const setting *s, config *c) { return (char *)c + s->offset; }

static int setting_amount(const setting *s, const char *text, uint64_t *out)
{
    switch (s->type) {
    case SETTING_SIZE:     return units_size(text, out);
    case SETTING_DURATION: return units_duration(text, out);
    default:               return units_number(text, out);
    }
}

static void setting_store_amount(const setting *s, config *c, uint64_t value)
{
    if (s->type == SETTING_SIZE)
        *(size_t *)setting_member(s, c) = value;
    else if (s->type == SETTING_DURATION)
        *(uint64_t *)setting_member(s, c) = value;
    else
        *(int *)setting_member(s, c) = (int)value;
}

static int setting_complain(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int setting_complain(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return UV_EINVAL;
}

static int setting_store_in_range(const setting *s, config *c, const char *text, char *why, size_t size)
{
    static const char *const KINDS[] = {
        [SETTING_NUMBER] = "whole number",
        [SETTING_SIZE] = "size (try 512, 64KiB, 1MiB)",
        [SETTING_DURATION] = "duration (try 250ms, 30s, 5m, 1h)",
    };
    uint64_t value, low, high;
    if (s->automatic && strcmp(text, "auto") == 0)
        return 0;
    const int err = setting_amount(s, text, &value);
    if (err == UV_EINVAL)
        return setting_complain(why, size, "'%s' is not a %s%s", text, KINDS[s->type],
                        s->automatic ? ", nor auto" : "");
    if (setting_amount(s, s->low, &low) || setting_amount(s, s->high, &high))
        assert(!"the table's own ranges can be read");
    if (err || value < low || value > high)
        return setting_complain(why, size, "'%s' is out of range (%s to %s)", text, s->low, s->high);
    setting_store_amount(s, c, value);
    return 0;
}

static int setting_store_choice(const setting *s, config *c, const char *text, char *why, size_t size)
{
    char all[128] = "";
    for (int i = 0; s->choices[i]; i++) {
        if (strcmp(s->choices[i], text) == 0) {
            *(int *)setting_member(s, c) = i;
            return 0;
        }
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
        strncat(all, s->choices[i], sizeof all - strlen(all) - 1);
    }
    return setting_complain(why, size, "'%s' is not one of: %s", text, all);
}

static int setting_store_ratio(const setting *s, config *c, const char *text, char *why, size_t size)
{
    char *end;
    const double value = strtod(text, &end);
    if (*end || strspn(text, "0123456789.") != strlen(text) || value > 1)
        return setting_complain(why, size, "'%s' is not a number from 0 to 1 (try 0.01)", text);
    *(double *)setting_member(s, c) = value;
    return 0;
}

/* What no line of config.ini can hold is refused everywhere: so one source can stand for another. */
static const char *text_is_unfit(const char *text)
{
    if (*text == '\0')
        return "is empty; leave it out for the default";
    if (*text == ';' || strstr(text, " ;") || strstr(text, "\t;"))
        return "has a ' ;', which begins a comment";
    if (!units_is_line(text))
        return "is not a line of UTF-8 text";
    return NULL;
}

int setting_store(const setting *s, config *c, char *text, char *why, size_t size)
{
    address ignored;
    const char *wrong = text_is_unfit(text);
    if (wrong)
        return setting_complain(why, size, "%s", wrong);

    switch (s->type) {
    case SETTING_ADDRESS:                    /* auto, where it is the default, stays */
        if (address_parse(&ignored, text) && !(strcmp(text, "auto") == 0 && strcmp(s->initial, text) == 0))
            return setting_complain(why, size, "'%s' is not HOST:PORT%s "
                            "(try 127.0.0.1:8080, [::1]:8080, :8080)", text,
                            strcmp(s->initial, "auto") == 0 ? ", nor auto" : "");
        *(char **)setting_member(s, c) = text;
        return 0;
    case SETTING_ENDPOINTS:                  /* the default may be none of them */
        if (strcmp(text, s->initial) != 0 && endpoints_check(text, why, size))
            return UV_EINVAL;
        *(char **)setting_member(s, c) = text;
        return 0;
    case SETTING_NETWORKS:
        if (network_list_check(text, why, size))
            return UV_EINVAL;
        *(char **)setting_member(s, c) = text;
        return 0;
    case SETTING_TEXT:
    case SETTING_URL:                        /* auto stays until it is resolved */
        *(char **)setting_member(s, c) = text;
        return 0;
    case SETTING_SWITCH:
        if (s->automatic && strcmp(text, "auto") == 0)
            return 0;
        if (units_switch(text, setting_member(s, c)))
            return setting_complain(why, size, "'%s' is not on or off%s", text, s->automatic ? ", nor auto" : "");
        return 0;
    case SETTING_RATIO:
        return setting_store_ratio(s, c, text, why, size);
    case SETTING_CHOICE:
        return setting_store_choice(s, c, text, why, size);
    default:
        return setting_store_in_range(s, c, text, why, size);
    }
}

bool setting_may_be_auto(const setting *s) { return s->automatic || s->automatic_text; }

void setting_resolve(const setting *s, config *c)
{
    assert(s->automatic ? s->type == SETTING_NUMBER || s->type == SETTING_SWITCH : s->type == SETTING_TEXT);
    if (s->automatic && s->type == SETTING_SWITCH)
        *(bool *)setting_member(s, c) = s->automatic(c);
    else if (s->automatic)
        *(int *)setting_member(s, c) = s->automatic(c);
    else
        *(char **)setting_member(s, c) = s->automatic_text();
}

void setting_write(const setting *s, const config *c, FILE *out)
{
    const char *at = (const char *)c + s->offset;
    if (s->automatic && s->type == SETTING_SWITCH)
        fputs(*(const bool *)at ? "on" : "off", out);
    else if (s->automatic)
        fprintf(out, "%d", *(const int *)at);
    else
        fputs(*(char *const *)at, out);
}

static size_t setting_size(setting_type type)
{
    switch (type) {
    case SETTING_NUMBER:
    case SETTING_CHOICE:   return sizeof(int);
    case SETTING_SIZE:     return sizeof(size_t);
    case SETTING_DURATION: return sizeof(uint64_t);
    case SETTING_RATIO:    return sizeof(double);
    case SETTING_SWITCH:   return sizeof(bool);
    default:               return sizeof(char *);
    }
}

void setting_copy(const setting *s, config *to, const config *from)
{
    memcpy(setting_member(s, to), (const char *)from + s->offset, setting_size(s->type));
}
