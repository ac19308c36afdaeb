/* loop_view.h - what one loop does, for a page: its turns, from poll's return to the next time that it sleeps, with all that
 * happened in them.
 *
 *     loop_view v;
 *     int err = loop_view_begin(&v, 1, label_of("GET /loop/events"));
 *     ...
 *     loop_view_collect(&v);                                  in a thread: it reads debug information
 *     for (int i = 0; i < v.count; i++)
 *         ... v.events[i] ...
 *     loop_view_end(&v);
 *
 * It is fed by the loop's recorder, which writes details only meanwhile (recorder_watch.h). A batch has whole turns, and at most
 * LOOP_VIEW_EVENTS events; of more, the older turns are left out, and counted. A view takes LOOP_VIEW_SIZE bytes, however much
 * happens.
 *
 *   Own.      Turns in which nothing was done but for the view's own label are left out, and counted; what is done for it in
 *             others is marked.
 *   Threads.  One at a time; begin and end on any, collect on one that may block. */
#ifndef LOOP_VIEW_H
#define LOOP_VIEW_H

#include "server/async/label.h"
#include "server/base/arena.h"
#include "server/base/observe/recorder_watch.h"

enum { LOOP_VIEW_EVENTS = 400, LOOP_VIEW_READ = 4096 };

typedef struct loop_event {
    record_kind kind;
    int64_t     turn;
    uint64_t    at, took;                    /* nanoseconds since the view began; took is 0 of what is a moment */
    const char *name;                        /* a function, a task, a statement, an executor, or what is awaited; NULL: none */
    const char *place;                       /* "handlers/sleep.c:19" of it; NULL: none */
    const char *whom;                        /* a label's name; NULL: nobody's */
    int64_t     value;                       /* as the kind has it: record's, or when a timer is due, as at is */
    int         number;                      /* of a task or a timer; else 0 */
    int         lane;
    bool        own;
} loop_event;

typedef struct loop_view {
    recorder_watch watch;
    label          own;                      /* 0: nothing is */
    uint64_t       begun;                    /* nanoseconds of uv_hrtime's clock: its 0 */
    record        *records;                  /* LOOP_VIEW_READ of them */
    size_t         kept;                     /* of these: a turn that has not ended */

    loop_event    *events;                   /* of the last batch: these end with the next, as do their texts */
    int            count;
    arena          texts;
    int64_t        turns_left_out, own_turns;
    uint64_t       events_left_out;
    uint64_t       until;                    /* up to when the batch tells, as at is */
} loop_view;

enum { LOOP_VIEW_SIZE = LOOP_VIEW_READ * sizeof(record) + LOOP_VIEW_EVENTS * sizeof(loop_event) };

/* 0, or UV_ENOENT: there is no such loop, or its recorder is off ([log] recorder). */
int  loop_view_begin(loop_view *v, int loop, label own);
void loop_view_end(loop_view *v);            /* no-op if it has ended, or has not begun and is zero */
void loop_view_collect(loop_view *v);

/* By what a kind is known in JSON, and for people: "query_sent". */
const char *loop_event_kind(record_kind kind);

#endif
