/* media.h - the media type of a file, by its name, and what may be gained by compressing it. */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include <stdbool.h>

const char *media_type(const char *path);    /* application/octet-stream when it tells nothing */
bool        media_is_compressible(const char *type);         /* text of any kind; pictures and sounds are small already */

#endif
