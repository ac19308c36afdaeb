/* floor.h - what the floor programs share: bare epoll, one thread, and no more of HTTP than a load
 * generator speaks.
 *
 * A floor is the least that an answer can cost on this machine: one recv, one send, and the work
 * itself. It has no limits, no timeouts and no idea of a bad request, so it is a stick to measure a
 * server with, and never a server. A program includes this, gives floor_answer(), and calls
 * floor_run(). */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>

typedef struct source { /* a descriptor that the loop watches for reading */
    int fd;
    void (*ready)(struct source *s);
} source;

typedef struct client {
    source source; /* its fd is -1 once the client has gone */
    int waiting;   /* answers that are still to come: floor_send() gives them */
    int length;
    source *next; /* floor_switch's */
    char input[2048];
} client;

/* The program's: answer one request, now with floor_reply(), or later: it counts in c->waiting. */
void floor_answer(client *c, const char *path);

/* Adds an answer to those that leave together when all the requests of one read are answered. */
void floor_reply(const char *answer, size_t length);

/* Sends one answer on its own. The FLOOR_HEAD bytes before body must be free: the head is put
 * there, so that both leave in one send without being copied. */
enum { FLOOR_HEAD = 256 };
void floor_send(client *c, const char *type, char *body, size_t length);

/* While it answers: the client speaks something else from then on, and s, which gets its descriptor, is watched instead. */
void floor_switch(client *c, source *s);

/* A whole answer with a short body, good for as long as floor_date() does not change. */
size_t floor_answer_with(char *out, size_t size, const char *type, const char *body);
const char *floor_date(void);

void floor_watch(source *s);
void floor_run(int port, void (*turn_ended)(void),
               void (*second_passed)(void)); /* either may be NULL */
void floor_die(const char *why) __attribute__((noreturn));

#endif
