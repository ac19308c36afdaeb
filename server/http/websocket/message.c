/* message.c - see message.h. */
#include "message.h"
#include "deflate.h"
#include "server/base/memory.h"
#include "server/base/utf8.h"

enum { NOT_DATA = 1007, POLICY = 1008, TOO_BIG = 1009, TRY_AGAIN = 1013 };

/* Fragments of one message: so many, and others of so many bytes on average. More are not worth the work. */
enum { FRAGMENTS = 4096, FRAGMENT_BYTES = 16 };
enum { LARGE = 128 * 1024 };                 /* bytes that memory is looked at for */
enum { SMALL = 1024 };                       /* bytes that there is room for before any has come */

/* What cannot be compressed gets longer: by five bytes in each 16 KiB and, with zlib's smallest tables, in each 128. */
static size_t message_most(const message *m, size_t most) { return m->compressed ? most + most / 16 + 64 : most; }

static char *message_room(message *m) { return (char *)(m + 1); }

int message_begin_frame(message **made, frame_kind kind, bool compressed, uint64_t length, size_t most)
{
    message *m = *made;
    if (!m) {
        const size_t capacity = mem_is_short() ? 0 : length < SMALL ? length : SMALL;
        m = *made = mem_resize(NULL, sizeof *m + capacity);
        *m = (message){ .capacity = capacity, .binary = kind == FRAME_BINARY, .compressed = compressed };
        m->bytes = message_room(m);
    }
    m->rest = length;
    if (length > message_most(m, most) - m->length)
        return TOO_BIG;
    return ++m->fragments > FRAGMENTS + m->length / FRAGMENT_BYTES ? POLICY : 0;
}

int message_append(message **gathered, text bytes)
{
    message *m = *gathered;
    const size_t length = m->length + bytes.length;
    if (length > m->capacity) {
        const size_t capacity = length + m->capacity;
        if (capacity > LARGE ? !mem_has(2 * capacity) : mem_is_short())
            return TRY_AGAIN;
        m = *gathered = mem_resize(m, sizeof *m + capacity);
        m->bytes = message_room(m);
        m->capacity = capacity;
    }
    memcpy(m->bytes + m->length, bytes.at, bytes.length);
    m->length = length;
    m->rest -= bytes.length;
    return 0;
}

int message_finish(message *m, size_t most)
{
    char *bytes;
    size_t length;
    m->whole = true;
    if (!m->compressed)
        return 0;
    const int code = deflate_inflate((text){ m->bytes, m->length }, most, &bytes, &length);
    if (code)
        return code;
    m->bytes = bytes;
    m->length = length;
    return m->binary || utf8_is(m->bytes, m->length) ? 0 : NOT_DATA;
}

void message_free(message *m)
{
    if (!m)
        return;
    if (m->reader)
        frame_reader_put(m->reader);
    if (m->bytes != message_room(m))
        mem_free(m->bytes);
    mem_free(m);
}
