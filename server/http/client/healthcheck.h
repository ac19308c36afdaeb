/* healthcheck.h - is the server well? For containers and for people. */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include <stddef.h>

/* Asks GET /healthz at listen, a server.listen; every address stands for this machine. 0 if the
 * answer is 200 within timeout_ms, in which looking up a name is not counted; else a UV_ code, and
 * why says in words for a person what is wrong. Blocks. */
int healthcheck(const char *listen, int timeout_ms, char *why, size_t size);

enum { HEALTHCHECK_TIMEOUT = 3000 };

#endif
