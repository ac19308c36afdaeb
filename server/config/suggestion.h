/* suggestion.h - did you mean ...? The candidate that takes the fewest edits to become the word.
 *
 *   suggestion near = { .word = "lisen" };
 *   suggestion_try(&near, "listen");
 *   if (near.best) ...
 */
#ifndef SUGGESTION_H
#define SUGGESTION_H

typedef struct suggestion {
    const char *word;
    const char *best;                        /* the candidate itself; NULL: none is near */
    int         edits;                       /* from word to best */
} suggestion;

void suggestion_try(suggestion *s, const char *candidate);    /* must outlive s; the first of equals stays */

#endif
