/* event.c - see event.h. */
#include "event.h"

static const char ID[] = "id: ", NAME[] = "event: ", DATA[] = "data: ", RETRY[] = "retry: ";

enum { ID_PREFIX = sizeof ID - 1, NAME_PREFIX = sizeof NAME - 1, DATA_PREFIX = sizeof DATA - 1, RETRY_PREFIX = sizeof RETRY - 1,
       LINE_END = 1 };

static bool text_has(text t, char c) { return t.length > 0 && memchr(t.at, c, t.length); }

static bool text_has_line_end(text t) { return text_has(t, '\n') || text_has(t, '\r'); }

bool event_is_valid(const event *e)
{
    return !text_has_line_end(e->id) && !text_has(e->id, '\0') && !text_has_line_end(e->event);
}

/* The first line of what is left of data, up to LF, CR, or CR and LF; *data is what follows, {0} behind the last one. */
static text event_next_line(text *data)
{
    const char *at = data->at, *const end = at + data->length;
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    const text line = { data->at, (size_t)(at - data->at) };
    if (at == end) {
        *data = (text){ 0 };
        return line;
    }
    at += at[0] == '\r' && end - at > 1 && at[1] == '\n' ? 2 : 1;
    *data = (text){ at, (size_t)(end - at) };
    return line;
}

size_t event_size(const event *e)
{
    char digits[TEXT_DIGITS];
    size_t size = LINE_END;
    if (e->id.length > 0)
        size += ID_PREFIX + e->id.length + LINE_END;
    if (e->event.length > 0)
        size += NAME_PREFIX + e->event.length + LINE_END;
    if (e->retry > 0)
        size += RETRY_PREFIX + text_number(e->retry, digits).length + LINE_END;
    for (text data = e->data; data.at;)
        size += DATA_PREFIX + event_next_line(&data).length + LINE_END;
    return size;
}

static char *event_put_line(char *to, const char *prefix, size_t length, text value)
{
    memcpy(to, prefix, length);
    to += length;
    if (value.length > 0)
        memcpy(to, value.at, value.length);
    to += value.length;
    *to++ = '\n';
    return to;
}

char *event_write(const event *e, char *to)
{
    char digits[TEXT_DIGITS];
    if (e->id.length > 0)
        to = event_put_line(to, ID, ID_PREFIX, e->id);
    if (e->event.length > 0)
        to = event_put_line(to, NAME, NAME_PREFIX, e->event);
    if (e->retry > 0)
        to = event_put_line(to, RETRY, RETRY_PREFIX, text_number(e->retry, digits));
    for (text data = e->data; data.at;)
        to = event_put_line(to, DATA, DATA_PREFIX, event_next_line(&data));
    *to++ = '\n';
    return to;
}
