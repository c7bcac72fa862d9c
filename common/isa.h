/*
 * Instruction set architectures and their names.
 */
#ifndef DROVER_COMMON_ISA_H
#define DROVER_COMMON_ISA_H

/* The values are those of every format of ours that names an ISA. */
enum isa { ISA_X86_64 = 0, ISA_AARCH64 = 1 };
#define ISA_COUNT 2

/* "x86_64" or "aarch64"; "unknown" for anything else. */
const char *isa_name(enum isa isa);

/* A name (also "x86-64", "amd64", "x86", "arm64", "arm") to an ISA, or -EINVAL. */
int isa_parse(const char *name);

/* The ISA this program runs on. */
enum isa isa_host(void);

/* The other one. */
static inline enum isa isa_other(enum isa isa)
{
	return isa == ISA_X86_64 ? ISA_AARCH64 : ISA_X86_64;
}

#endif
