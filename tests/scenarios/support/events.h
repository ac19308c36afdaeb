/* events.h - server-sent events as they come: what has come of an answer that goes on. */
#ifndef TESTS_EVENTS_H
#define TESTS_EVENTS_H

#include "client.h"

#define LAST_CHUNK "\r\n0\r\n\r\n"

/* Reads until part has come; fails the test if it does not. Returns all that came since the last call, terminated: raw, with
 * chunks if it has some. It lives until the next call. */
const char *events_until(client *c, const char *part);

/* Of a reconnection time in it, the last one: milliseconds; -1: there is none. */
long events_retry(const char *came);

#endif
