/* loop_json.h - what is seen of a loop, as JSON: a batch of its turns.
 *
 *   {"loop": 1, "until": 1203400511, "turns": 2, "own_turns": 3, "left_out": {"turns": 0, "events": 0},
 *    "events": [{"turn": 17, "kind": "sleep", "at": 1103200411, "took": 99800312},
 *               {"turn": 17, "kind": "callback", "phase": "poll", "at": 1203000723, "took": 31002,
 *                "name": "poller_on_ready", "place": "server/http/async/poller.c:21"},
 *               {"turn": 17, "kind": "await", "at": 1203020723, "name": "sleep_for", "place": "handlers/sleep.c:21",
 *                "for": "GET /sleep", "task": 71234}]}
 *
 * Times are nanoseconds since the view began; those of a turn are in the order in which they began. The kinds, beside name,
 * place, for, and own: true for what is done for who looks:
 *
 *   sleep                       poll has waited; a turn begins
 *   phase, callback             phase
 *   added, ran                  list: next tick, ready, turn end, immediate
 *   run, await, task_ended      task: its number
 *   timer_set, timer_unset, timer       timer: its number; due: when, as at is
 *   query_sent, query_ran       lane: the connection, or SQLite's thread, of which 1 writes; 0: any. took: since it was sent, or
 *                               began. outcome
 *   query                       took: since it was asked for. outcome
 *   job_queued, job_ran, job    lane: the pool's thread. outcome
 *   waited                      a task has, for what is named. took
 *   request_begun, request      outcome
 *   admitted                    a request, which waited for what is named. took
 *   settled                     outcome */
#ifndef LOOP_JSON_H
#define LOOP_JSON_H

#include "loop_view.h"
#include "server/base/buffer.h"

void loop_view_write_json(buffer *b, const loop_view *v, int loop);

#endif
