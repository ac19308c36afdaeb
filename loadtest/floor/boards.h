/* boards.h - what the floors below the boards' routes answer, as handlers/boards/ does.
 *
 * Each function that writes does so at p and returns where it stopped; the room is the caller's business. */
#ifndef BOARDS_H
#define BOARDS_H

#include <stddef.h>

enum { BOARD_MOST = 500, BOARD_ROWS = 10000 };

#define WORLD_BY_ID "select randomnumber from world where id = $1"
#define FORTUNES    "select id, message from fortune"

typedef enum board { BOARD_DB, BOARD_QUERIES, BOARD_UPDATES, BOARD_FORTUNES } board;

typedef struct world {
    int id, number;
} world;

typedef struct fortune {
    int id;
    const char *message; /* not terminated */
    size_t length;
} fortune;

board board_of(const char *path);
int board_count(const char *path); /* after the first '=', or 1 */
int board_random(void);            /* from 1 to BOARD_ROWS */

/* So many worlds with random ids; for updates they differ, and ascend. */
void choose_worlds(world worlds[], int count, board b);

char *put_int(char *p, unsigned n);
char *put_worlds(char *p, const world worlds[], int count, board b);

/* There must be room for one more than count: the one that is added. */
char *put_fortunes(char *p, fortune fortunes[], int count);

#endif
