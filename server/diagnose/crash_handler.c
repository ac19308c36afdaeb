/* crash_handler.c - see crash_handler.h. What the handler calls is safe in any state of the process. */
#include "crash_handler.h"
#include "server/async/scope.h"
#include "server/base/log.h"
#include "server/async/context/stack.h"
#include "server/async/task.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIGNAL_STACK = 64 * 1024, THREAD_GUARD = 64 * 1024 };          /* a frame of a signal has 11 KiB with all of AMX */

static _Thread_local struct {
    void       *signals;                     /* the stack for handlers, if it is ours */
    const char *setting;                     /* NULL: no blocking thread */
    char       *low;                         /* of its stack */
    size_t      size;
} here;

struct message { char text[512]; size_t length; };

static void message_add(struct message *l, const char *s)
{
    while (*s && l->length < sizeof l->text)
        l->text[l->length++] = *s++;
}

static void message_add_number(struct message *l, size_t n)
{
    char digits[24], *at = digits + sizeof digits - 1;
    *at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    message_add(l, at);
}

static void report_overflow(const char *what, size_t size, const char *setting)
{
    const scope *s = scope_here();
    struct message l = { .length = 0 };
    message_add(&l, "tenk: stack overflow in ");
    message_add(&l, what);
    message_add(&l, " ");
    message_add(&l, s->name);
    if (s->label) {
        message_add(&l, " (");
        message_add(&l, label_name(s->label));
        message_add(&l, ")");
    }
    message_add(&l, ": it has ");
    message_add_number(&l, size);
    message_add(&l, " bytes; raise ");
    message_add(&l, setting);
    message_add(&l, "\n");
    log_last_words(l.text, l.length);
}

static void crash_on_signal(int number, siginfo_t *info, void *context)
{
    const stack *s = task_stack();
    const char *const at = info->si_addr;
    const bool memory = number == SIGSEGV || number == SIGBUS;
    /* The lowest pages of a thread's stack are its guard, or those below them: pthreads differ. */
    const bool below_thread = here.setting && at >= here.low - THREAD_GUARD && at < here.low + THREAD_GUARD / 4;
    (void)context;
    log_flush();
    if (memory && s && stack_guards(s, at))
        report_overflow("task", s->size, "[tasks] stack");
    else if (memory && !s && below_thread)
        report_overflow("the thread for", here.size, here.setting);
    signal(number, SIG_DFL);                 /* and the same instruction again */
    if (info->si_code <= 0)                  /* which does nothing wrong: a process sent the signal */
        raise(number);
}

void crash_handler_install(void)
{
    static const int FAULTS[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
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
    stack_t now;
    here.setting = setting;
    if (setting)
        find_thread_stack();
    if (sigaltstack(NULL, &now) || !(now.ss_flags & SS_DISABLE))             /* a sanitizer's will do */
        return;
    void *p = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return;
    sigaltstack(&(stack_t){ .ss_sp = p, .ss_size = SIGNAL_STACK }, NULL);
    here.signals = p;
}

void crash_handler_thread_end(void)
{
    here.setting = NULL;
    if (!here.signals)
        return;
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE, .ss_size = SIGNAL_STACK }, NULL);
    munmap(here.signals, SIGNAL_STACK);
    here.signals = NULL;
}
