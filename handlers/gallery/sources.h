/* sources.h - files of this project that are in the program, for people to read: what a pattern calls is declared in them.
 *
 *     const source_file *f = source_declaring((text){ "gather", 6 });
 *     ... /patterns/source/%s#gather, f->path ...
 *
 * Of a pattern's own file, too, all of it can be read so. */
#ifndef GALLERY_SOURCES_H
#define GALLERY_SOURCES_H

#include "server/base/text.h"

typedef struct source_file {
    const char *path, *all;
    const char *words;                       /* that it declares, and that are linked to it, at most 64, a space between them */
} source_file;

const source_file *source_declaring(text word);      /* NULL: none does */
bool source_find(text path, source_file *f); /* false: no such file is in the program */
int  source_word(const source_file *f, text word);    /* which of its words it is; -1: none */

#endif
