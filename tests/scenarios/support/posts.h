/* posts.h - posts that take long to render. */
#ifndef TESTS_POSTS_H
#define TESTS_POSTS_H

/* Stores so many posts of that user, each of 60,000 bytes in which every word is marked: milliseconds of Markdown. */
void post_long_texts(int user, int count);

#endif
