/* exposition.c - see exposition.h. */
#include "exposition.h"

#include <stdarg.h>

void exposition_init(exposition *e, arena *a)
{
    buffer_init(&e->text, a);
    e->is = NULL;
}

void exposition_begin(exposition *e, const metric *m)
{
    e->is = m;
    buffer_printf(&e->text, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
}

/* A value's backslashes, quotes and ends of lines are escaped. */
static void label_write(buffer *b, const char *key, text value)
{
    buffer_text(b, text_of(key));
    buffer_text(b, TEXT("=\""));
    for (const char *at = value.at, *const end = value.at + value.length; at < end; at++)
        if (*at == '\\' || *at == '"')
            buffer_text(b, *at == '"' ? TEXT("\\\"") : TEXT("\\\\"));
        else
            buffer_text(b, *at == '\n' ? TEXT("\\n") : (text){ at, 1 });
    buffer_text(b, TEXT("\""));
}

text exposition_labels(exposition *e, const char *key, ...)
{
    buffer b;
    va_list args;
    buffer_init(&b, e->text.arena);
    va_start(args, key);
    for (const char *k = key; k; k = va_arg(args, const char *)) {
        if (k != key)
            buffer_text(&b, TEXT(","));
        label_write(&b, k, text_of(va_arg(args, const char *)));
    }
    va_end(args);
    return buffer_all(&b);
}

/* name_suffix{labels,le="bound"} */
static void sample_begin(exposition *e, const char *suffix, text labels, const char *bound)
{
    buffer *const b = &e->text;
    buffer_text(b, text_of(e->is->name));
    buffer_text(b, text_of(suffix));
    if (labels.length > 0 || bound)
        buffer_text(b, TEXT("{"));
    buffer_text(b, labels);
    if (bound) {
        buffer_text(b, labels.length > 0 ? TEXT(",le=\"") : TEXT("le=\""));
        buffer_text(b, text_of(bound));
        buffer_text(b, TEXT("\""));
    }
    buffer_text(b, labels.length > 0 || bound ? TEXT("} ") : TEXT(" "));
}

static void sample_end(exposition *e, uint64_t n)
{
    char digits[TEXT_DIGITS];
    buffer_text(&e->text, text_number(n, digits));
    buffer_text(&e->text, TEXT("\n"));
}

static void sample_end_seconds(exposition *e, uint64_t ns)
{
    buffer_printf(&e->text, "%llu.%09llu\n", (unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000));
}

void exposition_number(exposition *e, text labels, uint64_t n)
{
    sample_begin(e, "", labels, NULL);
    sample_end(e, n);
}

void exposition_seconds(exposition *e, text labels, uint64_t ns)
{
    sample_begin(e, "", labels, NULL);
    sample_end_seconds(e, ns);
}

void exposition_histogram(exposition *e, text labels, const char *const bounds[], const uint64_t counts[], int buckets,
                          uint64_t sum)
{
    uint64_t count = 0;
    for (int i = 0; i < buckets; i++) {
        count += counts[i];
        sample_begin(e, "_bucket", labels, bounds[i]);
        sample_end(e, count);
    }
    sample_begin(e, "_sum", labels, NULL);
    sample_end_seconds(e, sum);
    sample_begin(e, "_count", labels, NULL);
    sample_end(e, count);
}

void exposition_durations(exposition *e, text labels, const duration_sums *d)
{
    exposition_histogram(e, labels, DURATION_SECONDS, d->counts, DURATION_BUCKETS, d->time);
}
