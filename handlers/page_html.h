/* page_html.h - the HTML of a user and their posts, and the job that writes it in a worker process. */
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include "db/db.h"
#include "server/async/processes.h"

/* The rows are those of USER_BY_ID, of which there is one, and of POSTS_BY_USER. */
void page_html(buffer *b, const rows *user, const rows *posts);

extern const process_job JOB_PAGE;           /* the same, of rows that were packed for it */
void page_html_pack(buffer *b, const rows *user, const rows *posts);

#endif
