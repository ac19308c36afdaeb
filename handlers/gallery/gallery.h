/* gallery.h - whether there is a gallery of patterns, at /patterns. What is in it: see recording.h. */
#ifndef GALLERY_H
#define GALLERY_H

#include <stdbool.h>

/* Before the server serves: whether there is one, and where the server reaches itself, "http://127.0.0.1:8080",
 * for the patterns that need another server to ask. */
void gallery_configure(bool enabled, const char *served);
bool gallery_enabled(void);
const char *gallery_served(void);            /* "127.0.0.1:8080": where this machine can ask the server */

#endif
