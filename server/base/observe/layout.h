/* layout.h - where things are in this process's memory, for who reads it from another one (server/inspect/).
 *
 *     static const layout_entry TASK_LAYOUT[] LAYOUT_ENTRIES = {
 *         LAYOUT_SIZE("task", task),
 *         LAYOUT_FIELD("task.awaiting", task, awaiting),
 *         LAYOUT_ADDRESS("task.cancel", task_on_cancel),
 *     };
 *
 * The linker puts all entries in one section, and LAYOUT_ROOT, which is found by its symbol, says where that is. Every
 * entry has a name: so a reader that was built from other sources finds what it knows, wherever it has gone, and says what
 * it misses. A struct's owner describes it, next to the struct, and nobody else has to know it. It costs a running
 * program nothing.
 *
 * These names have a meaning of their own:
 *
 *   gauge.NAME          the address of an int that is worth a look: how many of NAME there are now
 *   follow.KIND.cancel  the address of a cancel function: a promise with that one waits for others, or for what has a name,
 *                       and its argument is a struct (at promise.cancel_arg is a pointer to it; if promise.has_room, it begins
 *                       there) in which
 *   follow.KIND.promise     is a pointer to the promise that it waits for; or
 *   follow.KIND.count       parts, of which this many (an int) begin
 *   follow.KIND.parts       here, each as large as that entry says, with a pointer to its promise
 *   follow.KIND.part        at this offset; or
 *   follow.KIND.name        is a pointer, at whose follow.KIND.name2 is another (if there is such an entry), and so on to
 *                           name3, and the last of them is a text; and
 *   follow.KIND.queued      a bool that is true, or
 *   follow.KIND.sent        a pointer that is NULL, while it still waits for its turn
 *
 *   Threads.  A reader holds no lock: it must believe nothing, and bound all that it follows. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum { LAYOUT_VERSION = 2 };                 /* grows when a name comes to mean something else */

/* 64 bytes, and aligned so: the linker leaves no gaps. */
typedef struct layout_entry {
    char     name[44];
    uint32_t size;                           /* of the field, or the struct */
    union { uint64_t offset; const void *address; };
    uint64_t unused;
} __attribute__((aligned(64))) layout_entry;

_Static_assert(sizeof(layout_entry) == 64, "a reader of another build steps over as many bytes");

typedef struct layout_root {
    char                magic[8];            /* LAYOUT_MAGIC */
    uint32_t            version, entry_size;
    const layout_entry *first, *end;
    char                program[40];         /* "tenk 1.2.3" */
} layout_root;

#define LAYOUT_MAGIC "tenk\x7fmap"

extern const layout_root LAYOUT_ROOT;

#define LAYOUT_ENTRIES                       __attribute__((section("tenk_layout"), used))
#define LAYOUT_FIELD(name, type, field)      { name, sizeof(typeof(((type *)0)->field)), { .offset = offsetof(type, field) }, 0 }
#define LAYOUT_SIZE(name, type)              { name, sizeof(type), { .offset = 0 }, 0 }
#define LAYOUT_ADDRESS(name, place)          { name, 0, { .address = (place) }, 0 }

#endif
