/*
 * What both compilers are always told, in one table: the flags that make one
 * program of two ISAs agree on types, arithmetic, data and calls.
 */
#include <string.h>

#include "binaries/driver/driver.h"
#include "common/compiler.h"

enum { AT_FRONT = 1, AT_CODEGEN = 2, AT_BOTH = 3 };
enum { X86 = 1 << ISA_X86_64, ARM = 1 << ISA_AARCH64, ALL = X86 | ARM };

static const struct {
	unsigned isas, when;
	const char *flag;
} table[] = {
	/* static, fixed addresses: a pointer is the same number everywhere */
	{ALL, AT_BOTH, "-fno-pic"},
	{ALL, AT_BOTH, "-fno-pie"},
	/* a section for each function and datum, so that each can have its own address */
	{ALL, AT_BOTH, "-ffunction-sections"},
	{ALL, AT_BOTH, "-fdata-sections"},
	{ALL, AT_FRONT, "-fno-common"},
	/* the guard's value would be part of the state and differs from process to process */
	{ALL, AT_FRONT, "-fno-stack-protector"},
	/* one layout of thread-local data */
	{ALL, AT_BOTH, "-femulated-tls"},
	/* one meaning of types */
	{ALL, AT_FRONT, "-fsigned-char"},
	{X86, AT_FRONT, "-mlong-double-128"},
	{ARM, AT_FRONT, "-Xclang"},
	{ARM, AT_FRONT, "-fwchar-type=int"},
	{ARM, AT_FRONT, "-Xclang"},
	{ARM, AT_FRONT, "-fsigned-wchar"},
	/* one result of arithmetic */
	{ALL, AT_BOTH, "-ffp-contract=off"},
	{ALL, AT_FRONT, "-U__FP_FAST_FMA"},
	{ALL, AT_FRONT, "-U__FP_FAST_FMAF"},
	/* what .state_transform and the plugin's rules call variables by */
	{ALL, AT_FRONT, "-fno-discard-value-names"},
	/* unwinding from any instruction of a call */
	{ALL, AT_BOTH, "-fasynchronous-unwind-tables"},
	{ALL, AT_CODEGEN, "-fexceptions"},
	/* atomics of 16 bytes in place, as AArch64 has them */
	{X86, AT_BOTH, "-mcx16"},
	/* helpers and merged globals that one ISA alone would have */
	{ARM, AT_BOTH, "-mno-outline-atomics"},
	{ARM, AT_CODEGEN, "-mno-global-merge"},
	/* copies of a function for certain arguments: each ISA chooses its own, and they would
	 * share the section, and so the address, of the original */
	{ALL, AT_CODEGEN, "-mllvm"},
	{ALL, AT_CODEGEN, "-funcspec-max-clones=0"},
	/* calls that a poll makes at request stand behind the function: at the end of a loop they
	 * would keep it from falling through to what follows */
	{ALL, AT_CODEGEN, "-mllvm"},
	{ALL, AT_CODEGEN, "-force-loop-cold-block"},
	/* arguments pushed one by one: in a landing pad the stack pointer would not be what it is
	 * elsewhere in the function */
	{X86, AT_CODEGEN, "-mllvm"},
	{X86, AT_CODEGEN, "-no-x86-call-frame-opt"},
	{ALL, AT_CODEGEN, "-Wno-unused-command-line-argument"},
	{ALL, AT_CODEGEN, "-Wno-override-module"},
};

static const char *const va_list_functions[] = {"vprintf", "vfprintf", "vsprintf", "vsnprintf",
						"vscanf",  "vfscanf",  "vsscanf"};

static void add(enum isa isa, unsigned when, struct strv *argv)
{
	strv_addf(argv, "--target=%s-linux-musl", isa_name(isa));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if ((table[i].isas & (1u << isa)) && (table[i].when & when))
			strv_add(argv, table[i].flag);
}

/* The last option about the sign of plain char counts; signed is what both ISAs get otherwise. */
static bool wants_unsigned_char(const struct strv *options)
{
	bool is = false;

	for (size_t i = 0; i < options->n; i++) {
		const char *o = options->v[i];

		if (!strcmp(o, "-funsigned-char") || !strcmp(o, "-fno-signed-char"))
			is = true;
		else if (!strcmp(o, "-fsigned-char") || !strcmp(o, "-fno-unsigned-char"))
			is = false;
	}
	return is;
}

/* The user wants debug information: the last -g option counts. */
static bool wants_debug(const struct strv *options)
{
	bool wanted = false;

	for (size_t i = 0; i < options->n; i++)
		if (!strncmp(options->v[i], "-g", 2))
			wanted = strcmp(options->v[i], "-g0") != 0;
	return wanted;
}

void flags_front(const struct driver *d, enum isa isa, struct strv *argv)
{
	add(isa, AT_FRONT, argv);
	/* clang's own headers (stdatomic.h and the like) stay behind the C library's. */
	if (wants_unsigned_char(&d->options.codegen))
		strv_add(argv, "-funsigned-char");
	strv_add(argv, "-nostdlibinc");
	strv_add(argv, "-isystem");
	strv_addf(argv, "%s/sysroot/%s/include", d->libdir, isa_name(isa));
	strv_add(argv, "-D__DROVER__=1");
	/* Variable arguments in the form both ISAs share; the functions that take a va_list are
	 * not the builtins any more. */
	strv_add(argv, "-include");
	strv_addf(argv, "%s/sysroot/%s/include/bits/drover.h", d->libdir, isa_name(isa));
	for (size_t i = 0; i < ARRAY_SIZE(va_list_functions); i++)
		strv_addf(argv, "-fno-builtin-%s", va_list_functions[i]);
	/* The plugin's messages and .state_transform name lines. */
	if (!wants_debug(&d->options.codegen))
		strv_add(argv, "-gline-tables-only");
}

void flags_types(const struct driver *d, const char *file, struct strv *argv)
{
	strv_add(argv, "-g");
	strv_add(argv, "-mllvm");
	strv_addf(argv, "-drover-types=%s", file);
	if (!wants_debug(&d->options.codegen)) {
		strv_add(argv, "-mllvm");
		strv_add(argv, "-drover-lines-only");
	}
}

void flags_codegen(const struct strv *options, enum isa isa, struct strv *argv)
{
	add(isa, AT_CODEGEN, argv);
	if (!wants_debug(options)) {
		strv_add(argv, "-mllvm");
		strv_add(argv, "-drover-drop-debug");
	}
}

void flags_plugin(const struct driver *d, const char *mode, struct strv *argv)
{
	strv_addf(argv, "-fpass-plugin=%s/drover-plugin.so", d->libdir);
	strv_add(argv, "-Xclang");
	strv_add(argv, "-load");
	strv_add(argv, "-Xclang");
	strv_addf(argv, "%s/drover-plugin.so", d->libdir);
	strv_add(argv, "-mllvm");
	strv_addf(argv, "-drover-mode=%s", mode);
	warnings_plugin(&d->options.groups, argv);
}
