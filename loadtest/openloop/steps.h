/* steps.h - how much is asked, and for how long, one step after the other.
 *
 *   closed:SECONDS      so many connections as are named ask as soon as they have their answer
 *   RATE:SECONDS        RATE requests a second
 *   FACTORx:SECONDS     FACTOR times what the last closed step had of good answers a second */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>

typedef struct step {
    bool closed, relative;
    double amount; /* the rate, or the factor */
    double seconds;
} step;

/* False if the text is none of the above. */
bool step_read(const char *text, step *found);

#endif
