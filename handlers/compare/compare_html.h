/* compare_html.h - a comparison within a page: what to press, what came of it, and what was counted. */
#ifndef COMPARE_HTML_H
#define COMPARE_HTML_H

#include "comparison.h"

const char *compare_html_head(const comparison *c);          /* for layout_begin_with */
void compare_html_section(buffer *b, const comparison *c);

#endif
