/* endpoint.h - places to listen at, as one writes them in a setting: a list that commas part.
 *
 *   127.0.0.1:8080   [::1]:8080   localhost:8080   :8080      TCP: address.h; of a name every address is meant
 *   unix:/run/tenk.sock   unix:@tenk                          a unix socket: a file, or a name in the abstract namespace
 *
 * Behind one, parted by commas as well, may stand how it is served:
 *
 *   mode=0660           of a unix socket's file, in octal: who may connect (by the right to write). Else what the umask leaves
 *   proxy_protocol=on   trusted proxies begin with a header of the PROXY protocol (server/http/peer/proxy_header.h)
 *
 *   listen = :8080, unix:/run/tenk.sock,mode=0660 */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include "server/base/net/address.h"
#include "server/base/text.h"

enum {
    ENDPOINT_PATH = 108,                     /* sun_path's size: bytes of a path, with the 0 that ends it */
    ENDPOINTS_MOST = 32,                     /* in one list */
};

typedef struct endpoint {
    text    written;                         /* HOST:PORT or unix:PATH, in the list */
    address at;                              /* of TCP */
    char    path[ENDPOINT_PATH];             /* of a unix socket, a name with its @; "": it is of TCP */
    int     mode;                            /* of that file; -1: what the umask leaves */
    bool    proxy_protocol;
} endpoint;

/* Takes the first endpoint off a list: 0; UV_EOF if there are no more; or UV_EINVAL after saying in why what is wrong with
 * it; then neither list nor e is touched. */
int  endpoint_next(text *list, endpoint *e, char *why, size_t size);

/* The whole list: 0, or UV_EINVAL after saying in why what is wrong with it: one that is none, one that is there twice,
 * more than ENDPOINTS_MOST. */
int  endpoints_check(const char *list, char *why, size_t size);

/* Of a list that is right: */
bool endpoints_are_local(const char *list);  /* can only this machine reach any of them? */
bool endpoints_have_port(const char *list, endpoint *e);     /* is one of them of TCP? e, if that is not NULL, is the first */
bool endpoints_have_proxy_protocol(const char *list);
int  endpoints_count(const char *list);

#endif
