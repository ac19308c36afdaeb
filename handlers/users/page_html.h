/* page_html.h - the HTML of a user and their posts, and the job that writes it in a worker process. */
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include "db/db.h"
#include "server/base/buffer.h"

enum { POSTS_OF_A_PAGE = 20 };

/* The rows are those of USER_BY_ID, of which there is one, and of POSTS_BY_USER, from that one on: one more than a
 * page holds tells that there is another. */
void page_html(buffer *b, int64_t from, const rows *user, const rows *posts);
void page_html_post(buffer *b, int64_t id, text title, text body, int64_t created_at);       /* one of them */
size_t page_html_size(const rows *posts);    /* about how many bytes that will be */
size_t page_html_post_size(text title, text body);                                           /* of them one post */
void page_html_address(buffer *b, int64_t user, int64_t from);                               /* of the page that begins there */

/* For JOB_PAGE (jobs.h), which writes the same. */
void page_html_pack(buffer *b, int64_t from, const rows *user, const rows *posts);

#endif
