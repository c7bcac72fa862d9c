/* Call-site tables of compiled code (the language-specific data area); pure. */
#ifndef DROVER_RT_LSDA_H
#define DROVER_RT_LSDA_H

#include <stdint.h>

/*
 * Offset of the landing pad for the instruction at `offset` of its function, both from the
 * function's start; 0: none covers it. `lsda` is the table as the compiler wrote it, of the form
 * Itanium C++ ABI, "Exception Handling Tables".
 */
uint64_t lsda_landing_pad(const unsigned char *lsda, uint64_t offset);

#endif
