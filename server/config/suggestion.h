/* suggestion.h - did you mean ...? The candidate that takes the fewest edits to become the word.
 *
 *   nearest n = { .word = "lisen" };
 *   nearest_try(&n, "listen");
 *   if (n.best) ...
 */
#ifndef NEAREST_H
#define NEAREST_H

typedef struct nearest {
    const char *word;
    const char *best;                        /* the candidate itself; NULL: none is near */
    int         edits;                       /* from word to best */
} nearest;

void nearest_try(nearest *n, const char *candidate); /* must outlive n; the first of equals stays */

#endif
