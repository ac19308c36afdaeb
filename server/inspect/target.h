/* target.h - another tenk, which is looked at: its memory, by the names of layout.h, and the names of its code.
 *
 * It is not stopped, asked, or told: what is read may be half-way from one state to another, and a pointer may be of
 * something that has just gone. So nothing that is read is believed: a read that fails says so, texts and lists are bounded.
 *
 *   Ownership.  Texts that are returned are the target's, until target_close.
 *   Threads.    One at a time. */
#ifndef INSPECT_TARGET_H
#define INSPECT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct target target;

/* 0; or a negative error, and why says so in words: there is no such process, it is no tenk, or one of another time, or
 * may not be looked at. */
int  target_open(target **made, pid_t process, char *why, size_t size);
void target_close(target *t);

pid_t       target_process(const target *t);
const char *target_program(const target *t); /* "tenk 0.1.0" */
bool        target_alive(target *t);         /* can it still be read? */

/* Memory. */
bool target_read(target *t, uint64_t at, void *to, size_t size);

typedef struct target_piece {
    uint64_t at;
    void    *to;
    size_t   size;
    bool     read;                           /* set by target_read_all: it was */
} target_piece;

void target_read_all(target *t, target_piece pieces[], size_t count);        /* many in a system call */

const char *target_text(target *t, uint64_t at);     /* a terminated text of the program's own; "?" if it is none */
const char *target_place(target *t, uint64_t at);    /* file and line of what returns to there; "" of 0 */

/* Layout, by name. What is not there is UINT64_MAX, and size 0. */
typedef struct target_field { uint64_t offset; size_t size; } target_field;
target_field target_field_of(const target *t, const char *name);

bool target_has(const target *t, const char *name);

/* The names of all that were missing so far, for people; "" if none was. */
const char *target_missing(const target *t);

/* Each entry whose name begins so; name is what comes after. */
void target_each(const target *t, const char *begins, void (*show)(const char *name, target_field f, void *arg), void *arg);

/* An unsigned number of the field's size, out of a copy of its struct, which is size bytes large; 0 if there is none. */
uint64_t target_number(const void *copy, size_t size, target_field f);

/* Where one of its threads sleeps, by function, file and line, the innermost first: how many frames. 0 if it does not. */
int target_stack(target *t, pid_t thread, uint64_t frames[], int most);
const char *target_frame(target *t, uint64_t at);

#endif
