/* letter.h - the program that is written in four ways: a letter to a user, made of a file, the database and another server's
 * answer. Here is all of it but what the four differ in: in which order it happens, and what becomes of an error.
 *
 *     letter *l = letter_new(r);
 *     err = await(file_read(l->file, l->arena, LETTER_SIZE, &l->words));            to whom, and the words, as Markdown
 *     err = await(query(r->req, &l->reader, l->find, integer(letter_to(l))));       who that is
 *     err = await(http_get(l->arena, l->server, &l->answer));                       what the other server says: 20 ms later
 *     err = await(in_thread(letter_render, l));                                     the letter, as HTML
 *     return err ? letter_apologize(l, err) : letter_send(l);
 *
 * LETTER_FAILS lets a visitor choose which step fails, and it really does: there is no such file, no such table, nobody
 * listens there, a word stands in the letter that nothing is known for. */
#ifndef LETTER_H
#define LETTER_H

#include "handlers/replica.h"
#include "pattern.h"
#include "server/executor/file.h"
#include "server/http/client/client.h"

enum { LETTER_SIZE = 4096 };

typedef struct letter {
    run             *r;
    arena           *arena;
    const char      *file;                   /* its path */
    const statement *find;                   /* of the id of a user, their name and how many posts they have */
    const char      *server;                 /* an address */
    text             words;                  /* of these three each is there when its step has succeeded */
    rows             reader;
    http_answer      answer;
    text             page;                   /* HTML: the letter, or an apology */
    text            *out;                    /* where it is sent to */
    void           (*done)(int err, void *arg);              /* of who is called back */
    void            *arg;
} letter;

extern const choices LETTER_FAILS;

letter *letter_new(run *r);                  /* the run's, whose output it is sent to */
void    letter_init(letter *l, run *r, arena *a, text *out); /* as the run's visitor has chosen */

int64_t letter_to(const letter *l);          /* the id of the user; the words are there */
int     letter_render(void *l);              /* makes the page of what is there; in any thread. UV_EINVAL: a word is not known */

/* Sends a page that says what has failed, and why. 0: it has been dealt with; a client that has left is not to be dealt
 * with, and is passed on. */
int letter_apologize(letter *l, int err);
int letter_send(letter *l);                  /* 0 */

#endif
