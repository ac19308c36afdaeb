/* turn.h - a turn of the loop, of which clients' requests may take a part: then all else has its turn.
 *
 * What is left of theirs is put off to the next turn. All of it belongs to the loop of the thread that calls. */
#ifndef HTTP_TURN_H
#define HTTP_TURN_H

#include "server/async/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum { TURN_BUDGET = 4 };                    /* ms of one turn */

void turn_open(void);                        /* before anything else here: nothing is put off */
void turn_renew(void);                       /* the budget is whole again, and counts from the next question on */
bool turn_is_over(uint64_t now);             /* has the budget been used up? now is uv_hrtime's */

void turn_put_off(ready *r);                 /* runs r in the next turn that has time for it, in the order of these calls */
void turn_run_put_off(void);                 /* at the end of each turn: what earlier ones put off; renews */

#endif
