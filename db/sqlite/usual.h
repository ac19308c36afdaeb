/* usual.h - how long a run of a statement usually takes, learned from those that ran several times. */
#ifndef DB_SQLITE_USUAL_H
#define DB_SQLITE_USUAL_H

#include "db/db.h"

enum { SQLITE_USUALS = 64 };

typedef struct sqlite_usual {                /* zeroes know nothing */
    struct { const statement *statement; uint64_t took; } of[SQLITE_USUALS];      /* by the address of the statement */
} sqlite_usual;

/* Nanoseconds; 0 if it is not known, or if another statement's have taken their place. */
uint64_t sqlite_usual_of(const sqlite_usual *u, const statement *s);
void     sqlite_usual_learn(sqlite_usual *u, const statement *s, uint64_t took);

#endif
