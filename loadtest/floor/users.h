/* users.h - the JSON of a user and their posts, as the two floors below /users/ID write it.
 *
 * Each function writes at p and returns where it stopped; the room is the caller's business. */
#ifndef USERS_H
#define USERS_H

#include <stddef.h>
#include <stdint.h>

#define USER_BY_ID "select id, name, email, created_at from users where id = $1"
#define POSTS_BY_USER                                                                              \
    "select id, title, body, created_at from posts where user_id = $1 order by id desc limit 20"

typedef struct cell { /* what a column holds: text, or an integer if text is NULL */
    const char *text;
    size_t length;
    int64_t integer;
} cell;

char *put_user(char *p, const cell columns[4]);
char *put_post(char *p, const cell columns[4], int index);
char *put_end(char *p);

#endif
