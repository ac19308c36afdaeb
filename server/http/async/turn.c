/* turn.c - see turn.h. */
#include "turn.h"

typedef struct turn_list { ready *first, **last; } turn_list;        /* last: where the next one goes; if there is none, any */

static _Thread_local struct {
    uint64_t  end;                           /* nanoseconds: when the budget is used up; 0: it does not count yet */
    turn_list due, later;                    /* what was put off in earlier turns, and in this one */
    ready     awake;                         /* keeps the loop from sleeping meanwhile */
    bool      is_awake;
} turn;

static void turn_stay_awake(ready *r);

/* As long as anything waits for the next turn, that begins at once. */
static void turn_stay_awake_if_needed(void)
{
    if ((!turn.due.first && !turn.later.first) || turn.is_awake)
        return;
    turn.is_awake = true;
    turn.awake.run = turn_stay_awake;
    loop_immediate(&turn.awake);
}

static void turn_stay_awake(ready *r)
{
    (void)r;
    turn.is_awake = false;
    turn_stay_awake_if_needed();
}

static void turn_append(turn_list *to, ready *first, ready **last)
{
    if (!to->first)
        to->last = &to->first;
    *to->last = first;
    to->last = last;
}

void turn_open(void)
{
    turn.end = 0;
    turn.due.first = turn.later.first = NULL;
    turn.is_awake = false;
}

void turn_renew(void) { turn.end = 0; }

bool turn_is_over(uint64_t now)
{
    if (!turn.end)
        turn.end = now + TURN_BUDGET * (uint64_t)1000000;
    return now >= turn.end;
}

void turn_put_off(ready *r)
{
    r->next = NULL;
    turn_append(&turn.later, r, &r->next);
    turn_stay_awake_if_needed();
}

/* What is put off meanwhile is due in the next turn. */
void turn_run_put_off(void)
{
    for (ready *r; (r = turn.due.first) && !turn_is_over(uv_hrtime());) {
        turn.due.first = r->next;
        loop_enter();
        r->run(r);
        loop_leave();
    }
    if (turn.later.first)
        turn_append(&turn.due, turn.later.first, turn.later.last);
    turn.later.first = NULL;
    turn.end = 0;                            /* the next turn's begins when something comes, which may be long from now */
}
