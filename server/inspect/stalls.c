/* stalls.c - see stalls.h. */
#include "stalls.h"
#include "seen.h"
#include "server/base/memory.h"

#include <string.h>
#include <uv.h>

enum { LARGEST = 1 << 24, FRAMES = 64 };

/* A frame may be several functions, one compiled into the other, the innermost first: "a (x.c:1) < b (x.c:2)". */
static void write_functions(const char *frame, FILE *out)
{
    static const char BETWEEN[] = " < ";
    const char *const next = strstr(frame, BETWEEN);
    if (next)
        write_functions(next + strlen(BETWEEN), out);
    fputc(';', out);
    for (const char *c = frame; *c && c != next; c++)
        fputc(*c == ';' ? ',' : *c, out);
}

static void stall_write(target *t, const char *stall, size_t size, FILE *out)
{
    const target_field frames = target_field_of(t, "stall.frames");
    const uint64_t count = target_number(stall, size, target_field_of(t, "stall.count"));
    const uint64_t ms = target_number(stall, size, target_field_of(t, "stall.ms"));
    const bool is_used = target_number(stall, size, target_field_of(t, "stall.times"));
    if (!is_used || count > FRAMES || count * sizeof(uint64_t) > frames.size)
        return;
    fputs(seen_label(t, target_number(stall, size, target_field_of(t, "stall.label"))), out);
    for (uint64_t i = count; i-- > 0;) {
        const target_field frame = { frames.offset + i * sizeof(uint64_t), sizeof(uint64_t) };
        write_functions(target_frame(t, target_number(stall, size, frame)), out);
    }
    fprintf(out, "%s %llu\n", count ? "" : ";elsewhere", (unsigned long long)ms);
}

int stalls_write(target *t, FILE *out, char *why, size_t size)
{
    const target_field all = target_field_of(t, "stalls");
    const size_t step = target_field_of(t, "stall").size;
    if (!step || !all.size || all.size > LARGEST) {
        snprintf(why, size, "process %d does not say where it was blocked", (int)target_process(t));
        return UV_ENOTSUP;
    }
    char *const copy = mem_alloc(all.size);
    const bool read = target_read(t, all.offset, copy, all.size);
    for (size_t at = 0; read && at + step <= all.size; at += step)
        stall_write(t, copy + at, step, out);
    mem_free(copy);
    if (!read)
        snprintf(why, size, "process %d is gone", (int)target_process(t));
    return read ? 0 : UV_ESRCH;
}
