/* media.h - the media type of a file, by its name. */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

const char *media_type(const char *path);    /* application/octet-stream when it tells nothing */

#endif
