/* context_aarch64.S - context_switch and the first frame of a new stack (AAPCS64).
 *
 * A callee must keep x19-x28, the frame pointer x29, and d8-d15; x30 is where it returns to. The
 * floating-point control register is shared by all tasks. The CFI lines let gdb, perf and the
 * sanitizers walk a stack through a switch. */

        .text
        .globl  context_switch
        .type   context_switch, %function
context_switch:                         /* x0 = &from, x1 = to */
        .cfi_startproc
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8,  d9,  [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1                  /* the frame has the same shape on both stacks */
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8,  d9,  [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        br      x30                     /* br, not ret: ret would be predicted from the stack we left */
        .cfi_endproc
        .size   context_switch, .-context_switch

/* The bottom frame: context_make left entry in x19 and arg in x20. */
        .globl  context_start
        .type   context_start, %function
context_start:
        .cfi_startproc
        .cfi_undefined x30              /* backtraces stop here */
        mov     x0, x20
        blr     x19
        brk     #1                      /* entry must not return */
        .cfi_endproc
        .size   context_start, .-context_start

        .section .note.GNU-stack,"",%progbits
