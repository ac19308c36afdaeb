/* suggestion.c - see suggestion.h. The edits are Levenshtein's: a letter more, one less, another one. */
#include "suggestion.h"

#include <string.h>

enum { LONGEST = 64 };                       /* no name here is longer, nor anything near one */

static int least(int a, int b, int c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }

static int edits_between(const char *a, const char *b)
{
    int row[LONGEST + 1];                    /* row[j]: edits from i letters of a to j of b */
    const int m = (int)strlen(a), n = (int)strlen(b);

    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; i <= m; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

void suggestion_try(suggestion *s, const char *candidate)
{
    const size_t length = strlen(s->word);
    if (length > LONGEST || strlen(candidate) > LONGEST)
        return;
    const int edits = edits_between(s->word, candidate);
    const int most = length < 3 ? 1 : length < 6 ? 2 : 3;
    if (edits <= most && edits < (int)strlen(candidate) && (!s->best || edits < s->edits)) {
        s->best = candidate;
        s->edits = edits;
    }
}
