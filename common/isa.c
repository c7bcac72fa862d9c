#include "common/isa.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	enum isa isa;
} isa_names[] = {
	{"x86_64", ISA_X86_64}, {"x86-64", ISA_X86_64},   {"amd64", ISA_X86_64},
	{"x86", ISA_X86_64},    {"aarch64", ISA_AARCH64}, {"arm64", ISA_AARCH64},
	{"arm", ISA_AARCH64},
};

const char *isa_name(enum isa isa)
{
	for (size_t i = 0; i < sizeof(isa_names) / sizeof(isa_names[0]); i++)
		if (isa_names[i].isa == isa)
			return isa_names[i].name;
	return "unknown";
}

int isa_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(isa_names) / sizeof(isa_names[0]); i++)
		if (!strcmp(isa_names[i].name, name))
			return (int)isa_names[i].isa;
	return -EINVAL;
}

enum isa isa_host(void)
{
#if defined(__x86_64__)
	return ISA_X86_64;
#elif defined(__aarch64__)
	return ISA_AARCH64;
#else
#error "Drover's host programs run on x86-64 and AArch64"
#endif
}
