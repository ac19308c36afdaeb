/* json.h - answers that are JSON, and the numbers in them. */
#ifndef TESTS_JSON_H
#define TESTS_JSON_H

#include "client.h"

#include <jansson.h>
#include <stdint.h>

/* An answer of that status, and JSON: from 400 on a problem's. The caller's, to json_decref. */
#define json_in(a, status) json_in_at(__FILE__, __LINE__, a, status)

json_t *json_in_at(const char *file, int line, answer a, int status);
int64_t number_of(const json_t *object, const char *key);    /* which must have one */

#endif
