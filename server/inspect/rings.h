/* rings.h - what the flight recorders of another tenk hold (recorder.h): their entries of the last ten seconds, decoded.
 *
 *   Ownership.  Texts are the target's.
 *   Threads.    One at a time. */
#ifndef INSPECT_RINGS_H
#define INSPECT_RINGS_H

#include "target.h"
#include "server/base/observe/recorder.h"

typedef struct recorded {
    record_kind kind;
    uint64_t    since, end;                  /* nanoseconds of uv_hrtime's clock */
    const char *what, *whom;                 /* whom: its label's name */
    int32_t     value;
    uint16_t    label, request;              /* request: by which number it is known; 0: none */
    uint64_t    queued;                      /* nanoseconds of it */
    const char *place;                       /* of an await: file and line; else "" */
} recorded;

typedef struct rings rings;

int  rings_open(rings **made, target *t, char *why, size_t size);    /* 0, or UV_ENOENT and why: it has none */
void rings_close(rings *r);
int  rings_count(const rings *r);
pid_t       ring_thread(const rings *r, int i);      /* 0: many threads share it */
const char *ring_name(const rings *r, int i);

/* Shows its entries, the earliest first, as they are now, until show returns false. */
void ring_each(rings *r, int i, bool (*show)(const recorded *e, void *arg), void *arg);

#endif
