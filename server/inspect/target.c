/* target.c - see target.h. */
#include "target.h"
#include "server/base/observe/layout.h"
#include "server/base/memory.h"
#include "server/diagnose/remote_unwind.h"
#include "server/diagnose/symbols.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

enum { KNOWN_TEXT, KNOWN_PLACE, KNOWN_FRAME };
enum { MOST_ENTRIES = 65536, TEXT_LENGTH = 160, PIECES = 512, TEXTS = 4096 };

/* What was found out about an address: its text, its place or its frame. Most are asked for again and again. */
typedef struct known {
    struct known *next;
    uint64_t      at;
    int           kind;
    char          text[];
} known;

struct target {
    pid_t         process;
    char          program[40];
    symbols      *symbols;
    unwinder     *unwinder;
    uintptr_t     root;
    layout_entry *entries;
    size_t        count;
    known        *buckets[TEXTS];
    char          missing[256];
};

pid_t       target_process(const target *t) { return t->process; }
const char *target_program(const target *t) { return t->program; }
const char *target_missing(const target *t) { return t->missing; }

/* Memory. */

bool target_read(target *t, uint64_t at, void *to, size_t size)
{
    return at && size && process_read(t->process, (uintptr_t)at, to, size);
}

/* The kernel stops at the first piece that is not there: that one is passed over. */
static size_t target_read_some(target *t, target_piece pieces[], size_t count)
{
    struct iovec here[PIECES] = { 0 }, there[PIECES] = { 0 };
    for (size_t i = 0; i < count; i++) {
        here[i] = (struct iovec){ pieces[i].to, pieces[i].size };
        there[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].at, pieces[i].size };
    }
    ssize_t got = process_vm_readv(t->process, here, count, there, count, 0);
    size_t done = 0;
    for (; done < count && got >= (ssize_t)pieces[done].size; done++) {
        got -= (ssize_t)pieces[done].size;
        pieces[done].read = true;
    }
    return done;
}

void target_read_all(target *t, target_piece pieces[], size_t count)
{
    for (size_t i = 0; i < count;) {
        const size_t some = count - i < PIECES ? count - i : PIECES;
        const size_t done = target_read_some(t, pieces + i, some);
        i += done;
        if (done < some)
            pieces[i++].read = false;
    }
}

bool target_alive(target *t)
{
    layout_root now = { .version = 0 };
    return target_read(t, t->root, &now, sizeof now) && memcmp(now.magic, LAYOUT_MAGIC, sizeof now.magic) == 0;
}

/* Texts. */

static known **known_find(target *t, uint64_t at, int kind)
{
    known **k = &t->buckets[((at ^ (uint64_t)kind) * UINT64_C(0x9e3779b97f4a7c15)) >> 52];
    while (*k && ((*k)->at != at || (*k)->kind != kind))
        k = &(*k)->next;
    return k;
}

static const char *known_add(known **to, uint64_t at, int kind, const char *text)
{
    const size_t size = strlen(text) + 1;
    known *k = mem_alloc(sizeof *k + size);
    k->at = at;
    k->kind = kind;
    memcpy(k->text, text, size);
    *to = k;
    return k->text;
}

/* Byte for byte what is printable. A text may end just before a page that is not there. */
static bool target_copy_text(target *t, uint64_t at, char to[TEXT_LENGTH])
{
    const size_t in_page = 4096 - at % 4096, first = in_page < TEXT_LENGTH ? in_page : TEXT_LENGTH;
    memset(to, 0, TEXT_LENGTH);
    if (!target_read(t, at, to, first))
        return false;
    if (!memchr(to, 0, first) && first < TEXT_LENGTH && !target_read(t, at + first, to + first, TEXT_LENGTH - first))
        return false;
    to[TEXT_LENGTH - 1] = '\0';
    for (char *c = to; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
    return true;
}

const char *target_text(target *t, uint64_t at)
{
    char text[TEXT_LENGTH];
    known **k = known_find(t, at, KNOWN_TEXT);
    if (*k)
        return (*k)->text;
    return target_copy_text(t, at, text) ? known_add(k, at, KNOWN_TEXT, text) : "?";
}

const char *target_place(target *t, uint64_t at)
{
    char text[256];
    if (!at)
        return "";
    known **k = known_find(t, at, KNOWN_PLACE);
    if (*k)
        return (*k)->text;
    symbols_place(t->symbols, (uintptr_t)at - 1, text, sizeof text);
    return known_add(k, at, KNOWN_PLACE, text);
}

const char *target_frame(target *t, uint64_t at)
{
    char text[512];
    known **k = known_find(t, at, KNOWN_FRAME);
    if (*k)
        return (*k)->text;
    symbols_frame(t->symbols, (uintptr_t)at, text, sizeof text);
    return known_add(k, at, KNOWN_FRAME, text);
}

int target_stack(target *t, pid_t thread, uint64_t frames[], int most)
{
    uintptr_t found[64];
    const int count = unwinder_look(t->unwinder, thread, found, most < 64 ? most : 64);
    for (int i = 0; i < count; i++)
        frames[i] = found[i];
    return count;
}

/* Layout. */

static const layout_entry *target_entry(const target *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->entries[i].name, name) == 0)
            return &t->entries[i];
    return NULL;
}

bool target_has(const target *t, const char *name) { return target_entry(t, name); }

target_field target_field_of(const target *t, const char *name)
{
    const layout_entry *const e = target_entry(t, name);
    if (e)
        return (target_field){ e->offset, e->size };
    char *const missing = ((target *)t)->missing;
    const size_t length = strlen(missing);
    if (!strstr(missing, name))              /* each is said once */
        snprintf(missing + length, sizeof t->missing - length, "%s%s", length ? ", " : "", name);
    return (target_field){ UINT64_MAX, 0 };
}

void target_each(const target *t, const char *begins, void (*show)(const char *name, target_field f, void *arg), void *arg)
{
    const size_t length = strlen(begins);
    for (size_t i = 0; i < t->count; i++)
        if (strncmp(t->entries[i].name, begins, length) == 0)
            show(t->entries[i].name + length, (target_field){ t->entries[i].offset, t->entries[i].size }, arg);
}

uint64_t target_number(const void *copy, size_t size, target_field f)
{
    uint64_t number = 0;
    if (f.offset > size || f.size > size - f.offset || f.size > sizeof number)
        return 0;
    memcpy(&number, (const char *)copy + f.offset, f.size);
    return number;
}

/* Opening. */

static int refused(char *why, size_t size, int err, const char *format, ...) __attribute__((format(printf, 4, 5)));
static int refused(char *why, size_t size, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return err;
}

static int yama_scope(void)
{
    int scope = 0;
    FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    if (f) {
        if (fscanf(f, "%d", &scope) != 1)
            scope = 0;
        fclose(f);
    }
    return scope;
}

static int target_forbidden(pid_t process, char *why, size_t size)
{
    const int scope = yama_scope();
    if (scope >= 3)
        return refused(why, size, UV_EPERM, "the kernel lets nobody look into process %d (kernel.yama.ptrace_scope is %d)",
                       (int)process, scope);
    if (scope > 0)
        return refused(why, size, UV_EPERM, "the kernel lets only root look into process %d (kernel.yama.ptrace_scope is %d)",
                       (int)process, scope);
    return refused(why, size, UV_EPERM, "process %d may not be looked at: only its own user may, or root", (int)process);
}

/* Its program's file; why not, if that may not be known. */
static int target_look_at_program(pid_t process, char program[PATH_MAX], char *why, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)process);
    const ssize_t length = readlink(path, program, PATH_MAX - 1);
    if (length >= 0) {
        program[length] = '\0';
        return 0;
    }
    if (errno == EACCES || errno == EPERM)
        return target_forbidden(process, why, size);
    return refused(why, size, UV_ESRCH, "there is no process %d", (int)process);
}

/* The entries, if what is at root says where they are, and they are as we know them. */
static int target_read_layout(target *t, char *why, size_t size)
{
    layout_root root;
    if (!target_read(t, t->root, &root, sizeof root))
        return errno == EPERM || errno == EACCES ? target_forbidden(t->process, why, size)
                                                 : refused(why, size, UV_ESRCH, "process %d is gone", (int)t->process);
    if (memcmp(root.magic, LAYOUT_MAGIC, sizeof root.magic) != 0)
        return refused(why, size, UV_EINVAL, "process %d is no tenk", (int)t->process);
    const uint64_t length = (uintptr_t)root.end - (uintptr_t)root.first;
    const bool known = root.version == LAYOUT_ROOT.version && root.entry_size == LAYOUT_ROOT.entry_size;
    if (!known || length % sizeof(layout_entry) || length / sizeof(layout_entry) > MOST_ENTRIES)
        return refused(why, size, UV_ENOTSUP, "process %d is a tenk of another time, which this one does not understand: "
                       "/proc/%d/exe is its own", (int)t->process, (int)t->process);
    memcpy(t->program, root.program, sizeof t->program - 1);
    t->count = length / sizeof(layout_entry);
    t->entries = mem_alloc(length ? length : 1);
    if (!target_read(t, (uintptr_t)root.first, t->entries, length))
        return refused(why, size, UV_ESRCH, "process %d is gone", (int)t->process);
    for (size_t i = 0; i < t->count; i++)
        t->entries[i].name[sizeof t->entries[i].name - 1] = '\0';
    return 0;
}

int target_open(target **made, pid_t process, char *why, size_t size)
{
    char program[PATH_MAX];
    int err = target_look_at_program(process, program, why, size);
    if (err)
        return err;
    target *t = mem_alloc(sizeof *t);
    t->process = process;
    t->symbols = symbols_open_of(process);
    t->unwinder = unwinder_open(t->symbols, process);
    t->root = symbols_address(t->symbols, "LAYOUT_ROOT");
    err = t->root ? target_read_layout(t, why, size)
               : refused(why, size, UV_EINVAL, "process %d is no tenk: it runs %s", (int)process, program);
    if (err)
        target_close(t);
    else
        *made = t;
    return err;
}

void target_close(target *t)
{
    symbols_close(t->symbols);
    unwinder_close(t->unwinder);
    for (int i = 0; i < TEXTS; i++)
        for (known *k = t->buckets[i], *next; k; k = next) {
            next = k->next;
            mem_free(k);
        }
    mem_free(t->entries);
    mem_free(t);
}
