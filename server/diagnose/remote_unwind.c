/* remote_unwind.c - see remote_unwind.h. The kernel tells where such a thread's stack ends, and libdw walks it. */
#include "remote_unwind.h"
#include "server/base/memory.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE = 256 };

struct unwinder {
    symbols   *symbols;
    pid_t      process;
    pid_t      thread;                       /* the one that is looked at */
    uintptr_t  sp, pc;
    uintptr_t *frames;
    int        count, most;
    bool       attached;
};

bool process_read(pid_t process, uintptr_t from, void *to, size_t size)
{
    const struct iovec into = { to, size }, there = { (void *)from, size };
    return process_vm_readv(process, &into, 1, &there, 1, 0) == (ssize_t)size;
}

bool remote_read(uintptr_t from, void *to, size_t size) { return process_read(getpid(), from, to, size); }

/* /proc/P/task/N/syscall: its number, six arguments, the stack pointer, the program counter; or "running". */
static bool thread_read_state(pid_t process, pid_t thread, char line[LINE])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)process, (int)thread);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, line, LINE - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static bool thread_is_asleep(const char *line, unwinder *s)
{
    long number;
    unsigned long long sp, pc;
    if (sscanf(line, "%ld %*x %*x %*x %*x %*x %*x %llx %llx", &number, &sp, &pc) != 3 || number < 0)
        return false;
    s->sp = (uintptr_t)sp;
    s->pc = (uintptr_t)pc;
    return true;
}

/* What libdw asks of a process, of which we show one thread. */

static pid_t unwind_next_thread(Dwfl *dwfl, void *arg, void **thread)
{
    const unwinder *s = arg;
    (void)dwfl;
    if (*thread)
        return 0;
    *thread = arg;
    return s->thread;
}

static bool unwind_get_thread(Dwfl *dwfl, pid_t id, void *arg, void **thread)
{
    (void)dwfl, (void)id;
    *thread = arg;
    return true;
}

static bool unwind_read_word(Dwfl *dwfl, Dwarf_Addr at, Dwarf_Word *word, void *arg)
{
    const unwinder *s = arg;
    (void)dwfl;
    return process_read(s->process, (uintptr_t)at, word, sizeof *word);
}

/* The numbers that DWARF has for the stack pointer and the program counter. */
#if defined(__x86_64__)
enum { SP = 7, PC = 16 };
#elif defined(__aarch64__)
enum { SP = 31, PC = -1 };
#else
enum { SP = -1, PC = -1 };
#endif

static bool unwind_set_registers(Dwfl_Thread *thread, void *arg)
{
    const unwinder *s = arg;
    const Dwarf_Word sp = s->sp, pc = s->pc;
    if (SP < 0 || !dwfl_thread_state_registers(thread, SP, 1, &sp))
        return false;
    if (PC >= 0)
        return dwfl_thread_state_registers(thread, PC, 1, &pc);
    dwfl_thread_state_register_pc(thread, pc);
    return true;
}

static int unwind_add_frame(Dwfl_Frame *frame, void *arg)
{
    unwinder *s = arg;
    Dwarf_Addr pc;
    bool exact;
    if (s->count == s->most || !dwfl_frame_pc(frame, &pc, &exact))
        return DWARF_CB_ABORT;
    s->frames[s->count++] = (uintptr_t)pc - !exact;
    return DWARF_CB_OK;
}

unwinder *unwinder_open(symbols *s, pid_t process)
{
    unwinder *u = mem_alloc(sizeof *u);
    *u = (unwinder){ .symbols = s, .process = process };
    return u;
}

void unwinder_close(unwinder *u) { mem_free(u); }

static bool unwinder_attach(unwinder *u, Dwfl *dwfl)
{
    static const Dwfl_Thread_Callbacks CALLBACKS = {
        .next_thread = unwind_next_thread, .get_thread = unwind_get_thread, .memory_read = unwind_read_word,
        .set_initial_registers = unwind_set_registers,
    };
    if (!u->attached && dwfl)
        u->attached = dwfl_attach_state(dwfl, NULL, u->process, &CALLBACKS, u);
    return u->attached;
}

int unwinder_look(unwinder *u, pid_t thread, uintptr_t frames[], int most)
{
    char before[LINE], after[LINE];
    u->thread = thread;
    u->frames = frames;
    u->most = most;
    u->count = 0;
    if (!thread_read_state(u->process, thread, before) || !thread_is_asleep(before, u))
        return 0;
    Dwfl *const dwfl = symbols_dwfl(u->symbols);
    const int err = unwinder_attach(u, dwfl) ? dwfl_getthread_frames(dwfl, thread, unwind_add_frame, u) : -1;
    const bool still = thread_read_state(u->process, thread, after) && strcmp(before, after) == 0;
    return still && (err == 0 || u->count == most) ? u->count : 0;
}

int remote_unwind(pid_t thread, uintptr_t frames[], int most)
{
    char line[LINE];
    unwinder first;
    if (!thread_read_state(getpid(), thread, line) || !thread_is_asleep(line, &first))
        return 0;                            /* before the files are read */
    symbols *const s = symbols_open();
    unwinder *const u = unwinder_open(s, getpid());
    const int count = unwinder_look(u, thread, frames, most);
    symbols_close(s);
    unwinder_close(u);
    return count;
}
