/* crash_handler.c - see crash_handler.h. What the handler calls is safe in any state of the process, but for the unwinder, which
 * may find no way through a stack that is spoiled: so it comes last. */
#include "crash_handler.h"
#include "server/async/scope.h"
#include "server/base/log.h"
#include "server/base/signal_stack.h"
#include "server/async/context/stack.h"
#include "server/async/task.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <unwind.h>

enum { THREAD_GUARD = 64 * 1024, FRAMES = 12 };

/* Where the linker has put the program's code: it chose the names. */
extern const char __executable_start[], etext[];             /* NOLINT(bugprone-reserved-identifier) */

static _Thread_local struct {
    const char *setting;                     /* NULL: no blocking thread */
    char       *low;                         /* of its stack */
    size_t      size;
} here;

typedef struct trace { uintptr_t frames[FRAMES]; int count; } trace;

struct message { char text[1024]; size_t length; };

static void message_add(struct message *l, const char *s)
{
    while (*s && l->length < sizeof l->text)
        l->text[l->length++] = *s++;
}

static void message_add_number(struct message *l, uintptr_t n, unsigned base)
{
    char digits[24], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = "0123456789abcdef"[n % base];
    while (n /= base);
    message_add(l, base == 16 ? "0x" : "");
    message_add(l, at);
}

/* "/users/:id (GET /users/:id)" */
static void message_add_scope(struct message *l)
{
    const scope *s = scope_here();
    message_add(l, s->name);
    if (s->label) {
        message_add(l, " (");
        message_add(l, label_name(s->label));
        message_add(l, ")");
    }
}

static void report_overflow(const char *what, size_t size, const char *setting)
{
    struct message l = { .length = 0 };
    message_add(&l, "tenk: stack overflow in ");
    message_add(&l, what);
    message_add(&l, " ");
    message_add_scope(&l);
    message_add(&l, ": it has ");
    message_add_number(&l, size, 10);
    message_add(&l, " bytes; raise ");
    message_add(&l, setting);
    message_add(&l, "\n");
    log_last_words(l.text, l.length);
}

/* What the handler itself called is above the signal's own frame. */
static _Unwind_Reason_Code trace_add_frame(struct _Unwind_Context *frame, void *arg)
{
    trace *t = arg;
    int exact = 0;
    const uintptr_t pc = _Unwind_GetIPInfo(frame, &exact);
    if (exact)
        t->count = 0;
    if (pc == 0 || t->count == FRAMES)
        return _URC_END_OF_STACK;
    t->frames[t->count++] = pc - !exact;
    return _URC_NO_REASON;
}

/* As addr2line(1) wants to have them; a library's, which nobody could find, are left out. */
static void report_trace(void)
{
    trace t = { .count = 0 };
    struct message l = { .length = 0 };
    _Unwind_Backtrace(trace_add_frame, &t);
    message_add(&l, "tenk: addr2line -fie tenk");
    for (int i = 0; i < t.count; i++)
        if (t.frames[i] >= (uintptr_t)__executable_start && t.frames[i] < (uintptr_t)etext) {
            message_add(&l, " ");
            message_add_number(&l, t.frames[i] - (uintptr_t)__executable_start, 16);
        }
    message_add(&l, "\n");
    log_last_words(l.text, l.length);
}

static void report_fault(int number, const siginfo_t *info)
{
    struct message l = { .length = 0 };
    char thread[16] = "";
    const bool sent = info->si_code <= 0;
    prctl(PR_GET_NAME, thread);
    message_add(&l, "tenk: SIG");
    message_add(&l, sigabbrev_np(number));
    message_add(&l, " (");
    message_add(&l, sigdescr_np(number));
    message_add(&l, ")");
    if (sent && info->si_pid != getpid()) {
        message_add(&l, ", sent by process ");
        message_add_number(&l, (uintptr_t)info->si_pid, 10);
    } else {
        if (!sent) {
            message_add(&l, " at address ");
            message_add_number(&l, (uintptr_t)info->si_addr, 16);
        }
        message_add(&l, " in ");
        message_add(&l, task_stack() ? "task " : "");
        message_add_scope(&l);
        message_add(&l, ", thread ");
        message_add(&l, thread);
    }
    message_add(&l, "\n");
    log_last_words(l.text, l.length);
}

static void crash_on_signal(int number, siginfo_t *info, void *context)
{
    const stack *s = task_stack();
    const char *const at = info->si_addr;
    const bool memory = (number == SIGSEGV || number == SIGBUS) && info->si_code > 0;
    /* The lowest pages of a thread's stack are its guard, or those below them: pthreads differ. */
    const bool below_thread = here.setting && at >= here.low - THREAD_GUARD && at < here.low + THREAD_GUARD / 4;
    (void)context;
    if (memory && s && stack_guards(s, at))
        report_overflow("task", s->size, "[tasks] stack");
    else if (memory && !s && below_thread)
        report_overflow("the thread for", here.size, here.setting);
    else
        report_fault(number, info);
    if (info->si_code > 0 || info->si_pid == getpid())
        report_trace();
    signal(number, SIG_DFL);                 /* and the same instruction again */
    if (info->si_code <= 0)                  /* which does nothing wrong: a process sent the signal */
        raise(number);
}

/* The unwinder prepares itself when it is first used, and may allocate then: not in the handler. */
static _Unwind_Reason_Code unwind_nothing(struct _Unwind_Context *frame, void *arg)
{
    (void)frame, (void)arg;
    return _URC_END_OF_STACK;
}

void crash_handler_install(void)
{
    static const int FAULTS[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    _Unwind_Backtrace(unwind_nothing, NULL);
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
        struct sigaction now;
        if (sigaction(FAULTS[i], NULL, &now) || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
            continue;
        struct sigaction own = { .sa_sigaction = crash_on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
        sigemptyset(&own.sa_mask);
        sigaction(FAULTS[i], &own, NULL);
    }
}

static void find_thread_stack(void)
{
    pthread_attr_t a;
    void *low;
    if (pthread_getattr_np(pthread_self(), &a))
        return;
    if (pthread_attr_getstack(&a, &low, &here.size) == 0)
        here.low = low;
    pthread_attr_destroy(&a);
}

void crash_handler_thread_begin(const char *setting)
{
    here.setting = setting;
    if (setting)
        find_thread_stack();
    signal_stack_begin();
}

void crash_handler_thread_end(void)
{
    here.setting = NULL;
    signal_stack_end();
}
