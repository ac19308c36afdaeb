/* markdown.h - a stranger's Markdown as HTML that is safe to show. */
#ifndef MARKDOWN_H
#define MARKDOWN_H

#include "server/base/buffer.h"

/* CommonMark with tables, strikethrough and bare links. Raw HTML comes out as text; a link or
 * an image goes only to http, https, mailto or a place on this site, else to "#". */
void markdown_html(buffer *b, text markdown);

#endif
