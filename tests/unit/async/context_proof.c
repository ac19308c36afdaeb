/* context_proof.c - see context_proof.h. */
#include "context_proof.h"
#include "server/async/context/context.h"

#include <stdint.h>
#include <stdio.h>

enum { STACK = 64 * 1024, SWITCHES = 1000 };

static _Alignas(64) char stacks[2][STACK];
static context     outside, inside[2];
static const char *wrong;
static int         arrived[2];
static uint64_t    volatile seed = 0x9e3779b97f4a7c15;

/* Keeps more values than there are registers that a callee must keep, over a switch. */
static void switch_and_compare(context *from, context *to)
{
    const uint64_t s = seed;
    uint64_t a = s * 3, b = s * 5, c = s * 7, d = s * 11, e = s * 13, f = s * 17, g = s * 19,
             h = s * 23, i = s * 29, j = s * 31, k = s * 37, l = s * 41;
    double   m = (double)(s >> 12), n = m / 3, o = m / 5, p = m / 7, q = m / 11, r = m / 13,
             t = m / 17, u = m / 19, v = m / 23;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
    __asm__ volatile("" : "+r"(g), "+r"(h), "+r"(i), "+r"(j), "+r"(k), "+r"(l));
#ifdef __aarch64__                           /* elsewhere no such register is the callee's to keep */
    __asm__ volatile("" : "+w"(m), "+w"(n), "+w"(o), "+w"(p), "+w"(q), "+w"(r), "+w"(t), "+w"(u));
#endif
    seed = s * 6364136223846793005 + 1;
    context_switch(from, *to);
    if (a != s * 3 || b != s * 5 || c != s * 7 || d != s * 11 || e != s * 13 || f != s * 17 ||
        g != s * 19 || h != s * 23 || i != s * 29 || j != s * 31 || k != s * 37 || l != s * 41)
        wrong = "a switch keeps the registers of whole numbers";
    if (m != (double)(s >> 12) || n != m / 3 || o != m / 5 || p != m / 7 || q != m / 11 ||
        r != m / 13 || t != m / 17 || u != m / 19 || v != m / 23)
        wrong = "a switch keeps the registers of floating-point numbers";
}

static void entry(void *arg)
{
    const int me = (int)(intptr_t)arg;
    char      text[64];
    char     *here = __builtin_frame_address(0);

    if (here < stacks[me] || here >= stacks[me] + STACK)
        wrong = "a context runs on the stack that it was given";
    if ((uintptr_t)here % 16 != 0)
        wrong = "a stack is aligned at the entry";
    snprintf(text, sizeof text, "%d %.3Lf", me, 1.5L);       /* faults on a stack that is not */
    if (text[0] != '0' + me || text[4] != '5')
        wrong = "entry gets its argument";
    for (;;) {
        arrived[me]++;
        switch_and_compare(&inside[me], &outside);
    }
}

const char *context_proof(void)
{
    for (int i = 0; i < 2; i++)              /* of an odd size: nobody promised a round one */
        inside[i] = context_make(stacks[i], STACK - (size_t)i * 24, entry, (void *)(intptr_t)i);
    if (arrived[0] || arrived[1])
        return "making a context does not run it";
    for (int n = 0; n < SWITCHES; n++)
        switch_and_compare(&outside, &inside[n % 3 ? 1 : 0]);
    if (arrived[0] + arrived[1] != SWITCHES)
        return "a switch continues where the context left off";
    return wrong;
}

#ifdef STANDALONE
int main(void)
{
    const char *broken = context_proof();
    puts(broken ? broken : "context.h holds");
    return broken != NULL;
}
#endif
