/* context_aarch64.c - the initial frame that context_switch pops on first entry. */
#include "context.h"

#include <stdint.h>

void context_start(void);                    /* context_aarch64.S */

struct first_frame {                         /* as context_switch pops it, low address first */
    uintptr_t x19, x20, x21_to_x28[8], x29, x30, d8_to_d15[8];
};

context context_make(void *base, size_t size, void (*entry)(void *), void *arg)
{
    uintptr_t top = ((uintptr_t)base + size) & ~(uintptr_t)15;
    struct first_frame *f = (struct first_frame *)top - 1;   /* 160 bytes: sp stays 16-aligned */

    *f = (struct first_frame){
        .x19 = (uintptr_t)entry,
        .x20 = (uintptr_t)arg,
        .x30 = (uintptr_t)context_start,
    };
    return f;
}
