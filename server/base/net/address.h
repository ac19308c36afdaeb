/* address.h - HOST:PORT, as one writes it in a setting.
 *
 *   127.0.0.1:8080   example.org:80   [::1]:8080   :8080 (every address)   [::1]:0 (any free port) */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>

typedef struct address {
    char host[256];                          /* a name, or an address, bare; "": every one */
    int  port;                               /* 0: any free one */
} address;

enum { ADDRESS_TEXT = 272 };                 /* any address fits into so many characters */

int  address_parse(address *a, const char *text);            /* 0, or UV_EINVAL and *a is untouched */
bool address_is_loopback(const address *a);  /* can only this machine reach it? Of names, only localhost is known for that */
void address_to_ask(address *a);             /* a server that listens on every address is asked on the loopback */
void address_write(const address *a, char text[ADDRESS_TEXT]);

#endif
