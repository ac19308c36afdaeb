/* symbols.h - the names, files and lines of places in the code of this process, or of another.
 *
 *   symbols *s = symbols_open();
 *   symbols_frame(s, pc, line, sizeof line);               "markdown_html (handlers/markdown.c:58) < render ..."
 *   symbols_place(s, pc, line, sizeof line);               "handlers/markdown.c:58"
 *   symbols_close(s);
 *
 * They are read from the debug information of the files that the process is made of. Where there is none,
 * a place is told by the symbol before it, or by its file and the offset in it. It takes milliseconds,
 * reads files and allocates: nothing for a loop's thread.
 *
 *   Threads.  What one has opened is for one thread at a time. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct symbols symbols;

symbols *symbols_open(void);                 /* never NULL */
symbols *symbols_open_of(pid_t process);     /* of another one, if it may be looked at; else nothing is known */
void     symbols_close(symbols *s);

/* Both write a terminated text, cut to size, and return its length. */

/* The function, its file and line; if it was compiled into another, that one behind it, and so on. */
size_t   symbols_frame(symbols *s, uintptr_t pc, char *to, size_t size);
size_t   symbols_place(symbols *s, uintptr_t pc, char *to, size_t size);     /* file and line only */

/* Where what has that name is, of those that the program itself defines, not its libraries; 0 if it has none. */
uintptr_t symbols_address(symbols *s, const char *name);

/* Where a call was that returns to there. */
static inline uintptr_t symbols_call(const void *returns_to) { return (uintptr_t)returns_to - 1; }

struct Dwfl *symbols_dwfl(symbols *s);       /* libdw's own handle, for unwinding */

#endif
