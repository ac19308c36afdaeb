/* symbols.c - see symbols.h. libdw does the reading. */
#include "symbols.h"
#include "server/base/memory.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbols { Dwfl *dwfl; pid_t process; char program[PATH_MAX]; };

/* Only what is in the files themselves: the usual way may ask servers on the internet for the rest. */
static int no_other_file(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr base, const char *file,
                         const char *link, GElf_Word crc, char **found)
{
    (void)m, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

/* A module's file is told by where it was when it was mapped. The program itself may have been replaced since, or be in
 * another file system than ours: the kernel still has it. */
static int find_file(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr base, char **file, Elf **elf)
{
    const symbols *s = *data;
    char path[PATH_MAX + 64];
    if (!s)
        return dwfl_linux_proc_find_elf(m, data, name, base, file, elf);
    if (name[0] != '/')                      /* no file's: the kernel's */
        return -1;
    if (strcmp(name, s->program) == 0)
        snprintf(path, sizeof path, "/proc/%d/exe", (int)s->process);
    else
        snprintf(path, sizeof path, "/proc/%d/root%s", (int)s->process, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        *file = strdup(path);                /* libdw's to free */
    return fd;
}

static int module_set_owner(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr start, void *arg)
{
    (void)m, (void)name, (void)start;
    *data = arg;
    return DWARF_CB_OK;
}

symbols *symbols_open_of(pid_t process)
{
    static const Dwfl_Callbacks CALLBACKS = {
        .find_elf = find_file,
        .find_debuginfo = no_other_file,
    };
    symbols *s = mem_alloc(sizeof *s);
    char path[64];
    s->process = process;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)process);
    if (readlink(path, s->program, sizeof s->program - 1) < 0)
        s->program[0] = '\0';
    s->dwfl = dwfl_begin(&CALLBACKS);
    if (s->dwfl) {
        dwfl_report_begin(s->dwfl);
        dwfl_linux_proc_report(s->dwfl, process);            /* without /proc, offsets will have to do */
        dwfl_report_end(s->dwfl, NULL, NULL);
        if (process != getpid())
            dwfl_getmodules(s->dwfl, module_set_owner, s, 0);
    }
    return s;
}

symbols *symbols_open(void) { return symbols_open_of(getpid()); }

void symbols_close(symbols *s)
{
    dwfl_end(s->dwfl);
    mem_free(s);
}

struct Dwfl *symbols_dwfl(symbols *s) { return s->dwfl; }

/* A text that grows, and is cut at its end. */
struct out { char *at; size_t length, size; };

static void append(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct out *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(o->at + o->length, o->size - o->length, format, args);
    va_end(args);
    o->length += n > 0 ? (size_t)n : 0;
    if (o->length >= o->size)
        o->length = o->size - 1;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Without the folder in which it was compiled. */
static const char *shortened(const char *file, const char *folder)
{
    const size_t length = folder ? strlen(folder) : 0;
    return length && strncmp(file, folder, length) == 0 && file[length] == '/' ? file + length + 1 : file;
}

/* What was compiled together, of which this place is. gcc gives an index of them, clang does not. */
static Dwarf_Die *unit_of(Dwfl_Module *m, Dwarf_Addr pc, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = m ? dwfl_module_addrdie(m, pc, bias) : NULL;
    if (unit || !m)
        return unit;
    while ((unit = dwfl_module_nextcu(m, unit, bias)) && dwarf_haspc(unit, pc - *bias) <= 0)
        ;
    return unit;
}

static void append_offset(struct out *o, Dwfl_Module *m, Dwarf_Addr pc)
{
    Dwarf_Addr start = 0;
    const char *name = m ? dwfl_module_info(m, NULL, &start, NULL, NULL, NULL, NULL, NULL) : NULL;
    if (name)
        append(o, "%s+0x%llx", last_part(name), (unsigned long long)(pc - start));
    else
        append(o, "0x%llx", (unsigned long long)pc);
}

static const char *folder_of(Dwarf_Die *unit)
{
    Dwarf_Attribute a;
    return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &a));
}

/* False if the line is not known. pc is the unit's own, without bias. */
static bool append_line(struct out *o, Dwarf_Die *unit, Dwarf_Addr pc)
{
    Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
    int number = 0;
    const char *file = line && dwarf_lineno(line, &number) == 0 ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (file)
        append(o, "%s:%d", shortened(file, folder_of(unit)), number);
    return file;
}

/* Where an inlined function was called: what its caller's line is, then. */
static void append_call(struct out *o, Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Attribute a;
    Dwarf_Word file = 0, number = 0;
    Dwarf_Files *files;
    size_t count;
    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &a), &file);
    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &a), &number);
    const char *name = dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count
                     ? dwarf_filesrc(files, file, NULL, NULL)
                     : NULL;
    if (name)
        append(o, "%s:%llu", shortened(name, folder_of(unit)), (unsigned long long)number);
    else
        append(o, "?");
}

enum { NESTED = 64 };

/* The functions that hold this place, the outermost first: as they are in the code, not in the source. dwarf_getscopes
 * also wants to know where an inlined one was written, and looks in this unit alone: an optimizing linker has it from another. */
static int functions_of(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die found[NESTED])
{
    Dwarf_Die at, inside;
    int count = 0, end = dwarf_child(unit, &at);
    while (end == 0 && count < NESTED) {
        if (dwarf_haspc(&at, pc) <= 0) {
            end = dwarf_siblingof(&at, &at);
            continue;
        }
        const int tag = dwarf_tag(&at);
        if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
            found[count++] = at;
        end = dwarf_child(&at, &inside);
        at = inside;
    }
    return count;
}

/* The functions that this place belongs to, the innermost first; false if they are not known. */
static bool append_functions(struct out *o, Dwfl_Module *m, Dwarf_Addr pc)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = unit_of(m, pc, &bias), found[NESTED];
    const int count = unit ? functions_of(unit, pc - bias, found) : 0;

    for (int i = count - 1; i >= 0; i--) {
        const char *name = dwarf_diename(&found[i]);
        append(o, "%s%s (", i < count - 1 ? " < " : "", name ? name : "?");
        if (i < count - 1)
            append_call(o, unit, &found[i + 1]);
        else if (!append_line(o, unit, pc - bias))
            append_offset(o, m, pc);
        append(o, ")");
    }
    return count > 0;
}

static Dwfl_Module *module_of(symbols *s, Dwarf_Addr pc) { return s->dwfl ? dwfl_addrmodule(s->dwfl, pc) : NULL; }

struct search { const symbols *of; const char *name; uintptr_t found; };

static int module_search(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr start, void *arg)
{
    struct search *const wanted = arg;
    (void)data, (void)start;
    if (strcmp(name, wanted->of->program) != 0)
        return DWARF_CB_OK;
    const int count = dwfl_module_getsymtab(m);
    for (int i = 1; i < count && !wanted->found; i++) {
        GElf_Sym symbol;
        GElf_Addr at;
        const char *const here = dwfl_module_getsym_info(m, i, &symbol, &at, NULL, NULL, NULL);
        if (here && symbol.st_shndx != SHN_UNDEF && strcmp(here, wanted->name) == 0)
            wanted->found = (uintptr_t)at;
    }
    return DWARF_CB_ABORT;
}

uintptr_t symbols_address(symbols *s, const char *name)
{
    struct search wanted = { s, name, 0 };
    if (s->dwfl)
        dwfl_getmodules(s->dwfl, module_search, &wanted, 0);
    return wanted.found;
}

size_t symbols_frame(symbols *s, uintptr_t pc, char *to, size_t size)
{
    struct out o = { to, 0, size };
    Dwfl_Module *m = module_of(s, pc);
    if (append_functions(&o, m, pc))
        return o.length;
    const char *name = m ? dwfl_module_addrname(m, pc) : NULL;
    if (name)
        append(&o, "%s (", name);
    append_offset(&o, m, pc);
    if (name)
        append(&o, ")");
    return o.length;
}

size_t symbols_place(symbols *s, uintptr_t pc, char *to, size_t size)
{
    struct out o = { to, 0, size };
    Dwfl_Module *m = module_of(s, pc);
    Dwarf_Addr bias;
    Dwarf_Die *unit = unit_of(m, pc, &bias);
    if (!unit || !append_line(&o, unit, pc - bias))
        append_offset(&o, m, pc);
    return o.length;
}
