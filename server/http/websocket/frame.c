/* frame.c - see frame.h.
 *
 * wslay answers what it reads: a ping, a Close, what breaks a rule. Its answers are dropped, but for the code in them: a
 * handler may have something to say before the Close, and wslay does not know all codes. */
#include "frame.h"
#include "server/base/memory.h"

#include <uv.h>
#include <wslay/wslay.h>

enum { HEAD = 2, MASK = 4, CODE = 2 };       /* bytes of a frame: its first ones, its mask; in front of a Close's reason */
enum { LENGTH_IN_2 = 126, LENGTH_IN_8 = 127 };               /* in place of a length: bytes that follow and have it */
enum { KIND = 0xf, CONTROL = 0x8, MASKED = 0x80, LENGTH = 0x7f };
enum { CODE_KNOWN = 1011, CODE_KNOWN_SINCE = 1014 };         /* the last one to wslay, and in IANA's registry */
enum { CODE_PROTOCOL_ERROR = 1002, CODE_TRY_AGAIN = 1013 };
enum { READER_SIZE = 9 * 1024 };             /* bytes, about: with what wslay allocates for it */

/* Writing. */

static _Thread_local struct { wslay_frame_context_ptr wslay; output *to; } writer;

static ssize_t writer_on_bytes(const uint8_t *bytes, size_t length, int flags, void *arg)
{
    (void)flags;
    (void)arg;
    output_append(writer.to, (text){ (const char *)bytes, length });
    return (ssize_t)length;
}

int frame_write(output *to, frame_kind kind, bool compressed, text bytes)
{
    static const struct wslay_frame_callbacks callbacks = { .send_callback = writer_on_bytes };
    struct wslay_frame_iocb frame = { .fin = 1, .rsv = compressed ? WSLAY_RSV1_BIT : 0, .opcode = kind,
                                      .payload_length = bytes.length, .data_length = bytes.length,
                                      .data = (const uint8_t *)bytes.at };
    if (!writer.wslay && wslay_frame_context_init(&writer.wslay, &callbacks, NULL))
        return UV_ENOMEM;
    writer.to = to;
    wslay_frame_send(writer.wslay, &frame);
    return 0;
}

text frame_make(frame_kind kind, text bytes)
{
    output made = { 0 };
    if (frame_write(&made, kind, false, bytes))
        return TEXT("");
    char *const frame = mem_alloc(made.length);
    size_t length = 0;
    for (const chunk *c = made.first; c; c = c->next) {
        const text piece = chunk_left(c);
        memcpy(frame + length, piece.at, piece.length);
        length += piece.length;
    }
    output_free(&made);
    return (text){ frame, length };
}

text frame_bytes(text frame)
{
    const size_t said = frame.at[1] & LENGTH, head = HEAD + (said == LENGTH_IN_2 ? 2 : said == LENGTH_IN_8 ? 8 : 0);
    return (text){ frame.at + head, frame.length - head };
}

/* Reading. */

struct frame_reader {
    void                   *free;            /* the free list's, while it is in it */
    wslay_event_context_ptr wslay;           /* NULL: it is to get one */
    const frame_events     *events;
    void                   *arg;
    text                    coming;          /* what wslay may read now */
    uint64_t                left;            /* bytes of a message's frame that are still to come */
    uint16_t                code;            /* of the Close that comes, if wslay does not know it */
    bool                    inside;          /* of a message */
    bool                    control;         /* the frame that is read is one */
    bool                    spent;           /* wslay reads no more */
};

static void reader_free(void *object)
{
    frame_reader *r = object;
    wslay_event_context_free(r->wslay);
    mem_free(r);
}

static _Thread_local freelist readers = FREELIST(READER_SIZE, reader_free);

static ssize_t reader_on_read(wslay_event_context_ptr wslay, uint8_t *to, size_t most, int flags, void *arg)
{
    frame_reader *r = arg;
    const size_t n = r->coming.length < most ? r->coming.length : most;
    (void)flags;
    if (n == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, r->coming.at, n);
    r->coming = (text){ r->coming.at + n, r->coming.length - n };
    return (ssize_t)n;
}

static ssize_t reader_on_answer(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length, int flags, void *arg)
{
    (void)wslay;
    (void)bytes;
    (void)flags;
    (void)arg;
    return (ssize_t)length;
}

static void reader_on_frame(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    frame_reader *r = arg;
    (void)wslay;
    r->control = wslay_is_ctrl_frame(frame->opcode);
    if (r->control)
        return;
    r->inside = true;
    r->left = frame->payload_length;
    r->events->on_frame(r->arg, frame->opcode, wslay_get_rsv1(frame->rsv), frame->payload_length);
}

static void reader_on_bytes(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
    frame_reader *r = arg;
    (void)wslay;
    if (r->control || chunk->data_length == 0)
        return;
    r->left -= chunk->data_length;
    r->events->on_bytes(r->arg, (text){ (const char *)chunk->data, chunk->data_length });
}

static void reader_on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
    frame_reader *r = arg;
    char bytes[FRAME_CONTROL_MOST];
    (void)wslay;
    if (!r->control) {
        r->inside = false;
        r->events->on_message(r->arg);
        return;
    }
    if (m->msg_length > 0)
        memcpy(bytes, m->msg, m->msg_length);
    if (r->code)
        memcpy(bytes, (char[]){ (char)(r->code >> 8), (char)r->code }, CODE);
    r->control = false;
    r->events->on_control(r->arg, m->opcode, (text){ bytes, m->msg_length });
}

static bool reader_open(frame_reader *r)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = reader_on_read, .send_callback = reader_on_answer,
        .on_frame_recv_start_callback = reader_on_frame, .on_frame_recv_chunk_callback = reader_on_bytes,
        .on_msg_recv_callback = reader_on_message,
    };
    if (wslay_event_context_server_init(&r->wslay, &callbacks, r))
        return false;
    wslay_event_config_set_no_buffering(r->wslay, 1);        /* it would allocate what a head says, before any of it has come */
    return true;
}

frame_reader *frame_reader_get(const frame_events *events, void *arg, bool compression)
{
    frame_reader *r = freelist_get(&readers);
    if (!r)
        r = mem_alloc(sizeof *r);
    if (!r->wslay && !reader_open(r)) {
        freelist_put(&readers, r);
        return NULL;
    }
    wslay_event_config_set_allowed_rsv_bits(r->wslay, compression ? WSLAY_RSV1_BIT : WSLAY_RSV_NONE);
    r->events = events;
    r->arg = arg;
    r->left = 0;
    r->inside = r->control = r->spent = false;
    return r;
}

void frame_reader_put(frame_reader *r)
{
    if (r->inside || r->control || r->spent) {
        wslay_event_context_free(r->wslay);
        r->wslay = NULL;
    }
    freelist_put(&readers, r);
}

size_t frame_first_part(text t)
{
    if (t.length < HEAD)
        return 0;
    const size_t said = t.at[1] & LENGTH, more = said == LENGTH_IN_2 ? 2 : said == LENGTH_IN_8 ? 8 : 0;
    const size_t head = HEAD + more + (t.at[1] & MASKED ? MASK : 0);
    const size_t first = more ? 1 : said;    /* of its payload */
    const size_t least = t.at[0] & CONTROL || first == 0 ? first : 1;
    return t.length < head + least ? 0 : t.length < head + first ? t.length : head + first;
}

/* A Close with a code that wslay does not know it gets with one that it does. t is the whole frame. */
static text reader_translate(frame_reader *r, text t, char copy[HEAD + MASK + FRAME_CONTROL_MOST])
{
    if ((t.at[0] & KIND) != FRAME_CLOSE || !(t.at[1] & MASKED) || t.length < HEAD + MASK + CODE ||
        t.length > HEAD + MASK + FRAME_CONTROL_MOST)
        return t;
    const char *const mask = t.at + HEAD, *const code = mask + MASK;
    const int number = (unsigned char)(code[0] ^ mask[0]) << 8 | (unsigned char)(code[1] ^ mask[1]);
    if (number <= CODE_KNOWN || number > CODE_KNOWN_SINCE)
        return t;
    r->code = (uint16_t)number;
    memcpy(copy, t.at, t.length);
    copy[HEAD + MASK] = (char)(CODE_KNOWN >> 8 ^ mask[0]);
    copy[HEAD + MASK + 1] = (char)((CODE_KNOWN & 0xff) ^ mask[1]);
    return (text){ copy, t.length };
}

int frame_reader_read(frame_reader *r, text bytes)
{
    char copy[HEAD + MASK + FRAME_CONTROL_MOST];
    r->code = 0;
    r->coming = r->left > 0 ? bytes : reader_translate(r, bytes, copy);
    const int failed = wslay_event_recv(r->wslay);
    wslay_event_send(r->wslay);
    r->spent = failed || !wslay_event_get_read_enabled(r->wslay);
    if (!r->spent || wslay_event_get_close_received(r->wslay))
        return 0;
    return failed == WSLAY_ERR_NOMEM ? CODE_TRY_AGAIN
           : failed                  ? CODE_PROTOCOL_ERROR
                                     : wslay_event_get_status_code_sent(r->wslay);
}

void frame_trim(void)
{
    freelist_done(&readers);
    wslay_frame_context_free(writer.wslay);
    writer.wslay = NULL;
}
