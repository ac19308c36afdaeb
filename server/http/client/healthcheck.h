/* healthcheck.h - is the server well? For containers and for people. */
#ifndef HEALTHCHECK_H
#define HEALTHCHECK_H

#include <stddef.h>

/* Asks GET /healthz at each address of listen, a server.listen, but for those of port 0; every address stands for this
 * machine, and of a name's the first that accepts for all. 0 if all answer 200 within timeout_ms, in which looking up names
 * is not counted; else a UV_ code, and why says in words for a person what is wrong with which. Where this machine is
 * one of trusted_proxies, a list of network_list.h's, it speaks the PROXY protocol, if that is spoken there. Blocks. */
int healthcheck(const char *listen, const char *trusted_proxies, int timeout_ms, char *why, size_t size);

enum { HEALTHCHECK_TIMEOUT = 3000 };

#endif
