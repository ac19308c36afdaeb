/* context_proof.h - what context.h promises, tried without any library, so that it can be run under
 * an emulator too: make aarch64. */
#ifndef CONTEXT_PROOF_H
#define CONTEXT_PROOF_H

const char *context_proof(void);             /* NULL, or which promise does not hold */

#endif
