/* client.h - an HTTP client as rude as a test needs: raw bytes out, answers in, by their framing.
 *
 *   answer a = get("/users/42");             a connection of its own
 *   client *c = client_new();                one that the test holds
 *
 * Every wait has a deadline. What an answer points to lives until the next answer on the same client
 * (or, of get and ask, until the next of them). An answer that did not come has the status 0. */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct client client;

typedef struct answer {
    int         status;                      /* 0: the whole answer did not come */
    const char *head;                        /* status line and headers; terminated, as the body is */
    const char *body;
    size_t      length;                      /* of the body */
} answer;

client *client_new(void);                    /* to the server here; fails the test if it does not accept */
client *client_try(int port);                /* NULL if nobody accepts */
client *client_asking(const char *path);     /* one that has sent a GET, and waits for the answer */
client *client_heard(const char *path);      /* the same; the server has the GET, for it has answered one before it */
bool    client_refused(int port);            /* does nobody accept there? */
client *client_small(int bytes);             /* with a receive buffer as small as that */
void    client_free(client *c);
void    client_reset(client *c);             /* closes with RST, and frees */
void    client_half_close(client *c);        /* no more will be sent */

bool    client_send(client *c, const void *bytes, size_t length);   /* false: the other side has closed */
bool    client_say(client *c, const char *text);
answer  client_answer(client *c);
answer  client_answer_to_head(client *c);    /* one that has no body, whatever its Content-Length */
bool    client_closed(client *c);            /* waits for the end: true if nothing more came before it */
bool    client_let_go(client *c);            /* the same, and not by a reset: it may have sent more than was wanted */
bool    client_bytes(client *c, void *to, size_t length);           /* waits for so many */
void    client_take(client *c);              /* a little of what is there, for a later answer */
int     client_segments(client *c);          /* of TCP, in which what it has received came */
bool    client_quiet(client *c);             /* is there neither a byte nor an end to be read right now? */
const char *client_rest(client *c);          /* reads to the end: all that came, terminated; lives as long as c */
size_t  client_drain(client *c);             /* reads to the end and counts */
void    client_set_timeout(client *c, double seconds);   /* how long nothing may come, or go; 40 s */

answer  ask(const char *request);            /* on a connection of its own */
answer  ask_bytes(const char *request, size_t length);
answer  get(const char *path);
answer  get_as(const char *path, const char *accept);
answer  post(const char *path, const char *type, const char *body);
answer  post_as(const char *path, const char *type, const char *body, const char *accept);

/* The value of a header, trimmed, or NULL. Valid until eight later calls. */
const char *header(const answer *a, const char *name);
bool        header_is(const answer *a, const char *name, const char *value);
bool        header_has(const answer *a, const char *name, const char *part);
int         header_count(const answer *a, const char *name);

/* The number of a text in a text. */
int         occurrences(const char *in, const char *part);

#endif
