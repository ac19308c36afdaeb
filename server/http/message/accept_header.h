/* accept_header.h - what a client would like to get, by its Accept and Accept-Encoding headers (RFC 9110, 12.5.1 and
 * 12.5.3). Each is given as one list; "" stands for a client that said nothing. */
#ifndef HTTP_ACCEPT_HEADER_H
#define HTTP_ACCEPT_HEADER_H

#include "server/base/text.h"

/* How much it likes that type (main/sub), in thousandths: 0 not at all, 1000 fully, or when it said
 * nothing. The range that names the type best counts; a weight that is none counts as 1000. */
int accept_header_quality(text accept, text type);

/* Rather a than b? By quality, and between equals by which is named more exactly: a client that lists JSON
 * and then anything at all has said what it is made for. b wins a tie. */
bool accept_header_prefers(text accept, text a, text b);

/* How the bytes of a body are coded, the smaller the later. */
typedef enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, CODINGS } coding;

const char *coding_name(coding c);           /* "br", for Content-Encoding */

/* The one of those codings, a bit 1 << c each, that it likes best; of equals the smallest. CODING_IDENTITY also when it
 * takes none of them. */
coding accept_encoding_best(text accept, unsigned codings);

/* Does it take a body as it is? Unless it has said so, yes. */
bool accept_encoding_takes_identity(text accept);

#endif
