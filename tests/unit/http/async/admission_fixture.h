/* admission_fixture.h - a worker whose handlers work as long as a test wants, where there is room for only so many. */
#ifndef TESTS_ADMISSION_FIXTURE_H
#define TESTS_ADMISSION_FIXTURE_H

#include "connection_fixture.h"
#include "tests/unit/http/serving.h"

enum { MOST_WORK = 64 };

extern int there_is_room, pool_room;         /* for so many more; of what renders pages, too */
extern int numbers[MOST_WORK], begun;        /* those that have begun, by their ?n=, in that order */

#define WORK(n) GET("/work?n=" #n)           /* POST /work writes; GET /page renders; GET /other needs nothing */
                                             /* nor does /held, which waits to be cancelled; /promised reads, by a promise */

void   serve_with_room(int free);                 /* serves, with room for so many, and a patience of seconds */
void   end_work(int i);                      /* of the one that began as number i */
client asking(const char *words);            /* one that has said them */

#endif
