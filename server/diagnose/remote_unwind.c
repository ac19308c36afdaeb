/* remote_unwind.c - see remote_unwind.h. The kernel tells where such a thread's stack ends, and libdw walks it. */
#include "remote_unwind.h"
#include "symbols.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE = 256 };

typedef struct sleeper {
    pid_t      thread;
    uintptr_t  sp, pc;
    uintptr_t *frames;
    int        count, most;
} sleeper;

bool remote_read(uintptr_t from, void *to, size_t size)
{
    const struct iovec into = { to, size }, there = { (void *)from, size };
    return process_vm_readv(getpid(), &into, 1, &there, 1, 0) == (ssize_t)size;
}

/* /proc/self/task/N/syscall: its number, six arguments, the stack pointer, the program counter; or "running". */
static bool thread_read_state(pid_t thread, char line[LINE])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)thread);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, line, LINE - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static bool thread_is_asleep(const char *line, sleeper *s)
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
    sleeper *s = arg;
    (void)dwfl;
    if (*thread)
        return 0;
    *thread = s;
    return s->thread;
}

static bool unwind_read_word(Dwfl *dwfl, Dwarf_Addr at, Dwarf_Word *word, void *arg)
{
    (void)dwfl, (void)arg;
    return remote_read((uintptr_t)at, word, sizeof *word);
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
    const sleeper *s = arg;
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
    sleeper *s = arg;
    Dwarf_Addr pc;
    bool exact;
    if (s->count == s->most || !dwfl_frame_pc(frame, &pc, &exact))
        return DWARF_CB_ABORT;
    s->frames[s->count++] = (uintptr_t)pc - !exact;
    return DWARF_CB_OK;
}

int remote_unwind(pid_t thread, uintptr_t frames[], int most)
{
    static const Dwfl_Thread_Callbacks CALLBACKS = {
        .next_thread = unwind_next_thread, .memory_read = unwind_read_word, .set_initial_registers = unwind_set_registers,
    };
    char before[LINE], after[LINE];
    sleeper s = { .thread = thread, .frames = frames, .most = most };

    if (!thread_read_state(thread, before) || !thread_is_asleep(before, &s))
        return 0;
    symbols *symbols = symbols_open();
    Dwfl *dwfl = symbols_dwfl(symbols);
    const int err = !dwfl || !dwfl_attach_state(dwfl, NULL, getpid(), &CALLBACKS, &s)
                  ? -1
                  : dwfl_getthread_frames(dwfl, thread, unwind_add_frame, &s);
    symbols_close(symbols);
    const bool still = thread_read_state(thread, after) && strcmp(before, after) == 0;
    return still && (err == 0 || s.count == most) ? s.count : 0;
}
