/* world.h - the table world of the boards: 10,000 rows, each with a random number. */
#ifndef WORLD_H
#define WORLD_H

#include "handlers/site.h"
#include "server/async/task.h"
#include "server/base/buffer.h"

enum { WORLD_ROWS = 10000 };

typedef struct world { int id, number; } world;

/* From 1 to WORLD_ROWS: an id, or a number. Of this thread's own generator, which the system has seeded. */
int world_random(void);

/* Reads the numbers of count worlds whose ids are set, each by a query of its own, side by side. The worlds, and the
 * request, must outlive it. HTTP_STATUS(500), answered, if a row is not there. In a function that may pause. */
async int worlds_read(request *req, world worlds[], int count);

void world_write(buffer *b, world w);        /* as a JSON object */
int  worlds_respond(request *req, const world worlds[], int count);          /* as a JSON array */

#endif
