/* delay.h - bytes on their way: told again when they are due.
 *
 * All wait equally long, so that one line of them, in the order in which they came, is sorted by itself,
 * and one timer serves them all. */
#ifndef DELAY_H
#define DELAY_H

#include <stddef.h>
#include <stdint.h>

struct pair;

int  delay_open(int64_t nanoseconds);        /* a descriptor, readable when something is due */

/* Says pair_due(p, which, length) after that time; at once if it is none. The pair must stay until then:
 * p->marks counts what is under way. */
void delay_add(struct pair *p, int which, size_t length);
void delay_deliver(void);                    /* says it for all that is due */

#endif
