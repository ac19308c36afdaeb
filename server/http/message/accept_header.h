/* accept_header.h - what a client would like to get, by its Accept header (RFC 9110, 12.5.1). */
#ifndef HTTP_ACCEPT_HEADER_H
#define HTTP_ACCEPT_HEADER_H

#include "server/base/text.h"

/* How much it likes that type (main/sub), in thousandths: 0 not at all, 1000 fully, or when it said
 * nothing. The range that names the type best counts; a weight that is none counts as 1000. */
int accept_header_quality(text accept, text type);

/* Rather a than b? By quality, and between equals by which is named more exactly: a client that lists JSON
 * and then anything at all has said what it is made for. b wins a tie. */
bool accept_header_prefers(text accept, text a, text b);

#endif
