/* record_for.h - for whom something was done, as a recorder writes it down (recorder.h). */
#ifndef RECORD_FOR_H
#define RECORD_FOR_H

#include <stdint.h>

enum { RECORD_LABELS = 1024, RECORD_REQUESTS = 1 << 15 };

typedef struct record_for {
    uint16_t label;                          /* server/async/label.h's */
    uint16_t request;                        /* which of its requests (recorder_request), below RECORD_REQUESTS; 0: not known */
} record_for;

#endif
