/* post.h - what a post is: the rules that all ways to write one have in common. */
#ifndef POST_H
#define POST_H

#include "server/base/arena.h"
#include "server/base/buffer.h"
#include "server/base/text.h"

#include <jansson.h>

enum { POST_WHY = 160 };                     /* bytes, for what is wrong with one, in words */

typedef struct post { text title, body; } post;

/* Reads JSON that a stranger sent, with or without a byte order mark: 0, or HTTP_STATUS(400) and why it is none, or 422
 * and why it cannot be used, though it is. *value is then the caller's, to json_decref. */
int post_parse(text json, json_t **value, char why[POST_WHY]);

/* The post in an object with the strings title and body, which own its texts: 0, or HTTP_STATUS(422) and why. */
int post_of(const json_t *object, post *p, char why[POST_WHY]);

/* 0 when it may be stored, else HTTP_STATUS(422) and why: neither text is empty, too long, or anything but
 * UTF-8 without NUL. */
int post_check(const post *p, char why[POST_WHY]);

bool post_text_is_valid(text t);             /* UTF-8 without NUL, as a database takes it */

/* As it is answered: {"id":1,"user_id":42,"title":"...","body":"...","created_at":1700000000} */
void post_write_json(buffer *b, int64_t id, int64_t user, const post *p, int64_t created_at);
text post_json(arena *a, int64_t id, int64_t user, const post *p, int64_t created_at);

/* The same, of one that has no id yet: what comes before it, and what comes behind. */
void post_json_around_id(arena *a, int64_t user, const post *p, int64_t created_at, text *before, text *after);

#endif
