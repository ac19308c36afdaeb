/* granted.h - how much time has passed, by the clock and by what a busy machine granted. */
#ifndef GRANTED_H
#define GRANTED_H

double now_s(void);                          /* monotonic seconds */
double granted_s(void);                      /* the same, but one in which others had the processors is a sixth of one */

#endif
