/* embed.h - a file's bytes as a constant of the program.
 *
 *     EMBED(schema_sql, "db/schema.sql");  -> const char schema_sql[], terminated
 *
 * The assembler copies them in; the path is from the root, where make runs the compiler, and the
 * Makefile must know that the object depends on the file. The name is this object's own. */
#ifndef EMBED_H
#define EMBED_H

#define EMBED(name, file)                                                                       \
    __asm__(".pushsection .rodata\n" #name ":\n.incbin \"" file "\"\n.byte 0\n.popsection\n");  \
    extern const char name[] __attribute__((visibility("hidden")))

#endif
