/* gallery.h - whether there is a gallery of patterns, at /patterns. What is in it: see recording.h. */
#ifndef GALLERY_H
#define GALLERY_H

#include <stdbool.h>

void gallery_configure(bool enabled);        /* before the server serves; on until then */
bool gallery_enabled(void);

#endif
