/* layout.h - what every page of the site has around its content. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "server/base/buffer.h"

enum { LAYOUT_SIZE = 600 };                  /* about how many bytes it is */

void layout_begin(buffer *b, text title);
void layout_begin_with(buffer *b, text title, const char *head);      /* head: more elements for the page's */
void layout_end(buffer *b);
void layout_problem(buffer *b, int status, text reason, text detail);       /* a whole page: site.problem (route.h) */

/* A <time> element of the seconds since 1970, in UTC, as strftime has it by that format; of the day alone. */
void layout_time(buffer *b, const char *format, int64_t seconds);
void layout_date(buffer *b, int64_t seconds);

#endif
