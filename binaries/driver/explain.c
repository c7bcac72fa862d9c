/* drover-cc --explain: what is behind a message. docs/toolchain.md has the same at length. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "binaries/driver/warnings.h"
#include "common/compiler.h"

static const struct {
	const char *id, *title, *text;
} entries[] = {
	{"drover-never-migrates", "a function is left as it is and never migrates",
	 "The function holds a construct that only one ISA can execute or lay out, so it has no\n"
	 "frame that could be rebuilt on the other. It is compiled as usual. While it is on the\n"
	 "stack and what it calls comes by a migration point, the migration waits until it has\n"
	 "returned. drover-objinfo --blocked lists such functions of a finished program.\n"
	 "What to do: nothing, if it returns soon. Otherwise move the construct into a small\n"
	 "function of its own. The constructs have entries of their own in this list."},
	{"drover-unsupported", "a program that migrates cannot do this",
	 "The call could not be made to work, on either ISA or across a migration, so the program\n"
	 "is refused rather than go wrong later. This error cannot be turned off."},
	{"drover-waits", "a call after which migrations wait",
	 "The call is allowed, but a migration that is asked for afterwards waits until the child\n"
	 "processes have ended and been waited for. Off by default; -Wdrover-waits shows such\n"
	 "calls with file and line."},
	{"drover-fast-math", "results may differ from those of an unmoved run",
	 "Without this option both ISAs give bit-identical floating-point results. With\n"
	 "-ffast-math, -Ofast or -funsafe-math-optimizations each compiler may reorder and\n"
	 "approximate in its own way, so that a program which moves may print other last digits."},
	{"drover-dlopen", "a call that always answers with an error",
	 "A bundle has all its code from the start, at one address on both ISAs, and nothing that\n"
	 "could load more. The call returns a null pointer and dlerror says why; a program that\n"
	 "can do without the library goes on. What to do: link the library, or turn plug-ins off."},
	{"drover-ignored", "an option has no effect",
	 "What the option asks for is otherwise in a bundle, on both ISAs; the message says how."},
	{"inline-assembly", "inline assembly in a function",
	 "Machine code of one ISA. An empty statement, as a compiler barrier, is fine.\n"
	 "What to do: use the compiler's builtins, or the project's option for portable code."},
	{"own-frame", "__builtin_frame_address, __builtin_return_address, register variables",
	 "They tell of the native stack or of machine registers, which a move replaces."},
	{"returns-twice", "a call of a function that returns twice",
	 "setjmp and sigsetjmp are understood and cross migrations. Others, and\n"
	 "__builtin_setjmp, keep the function from being rebuilt."},
	{"calling-convention", "naked functions, guaranteed tail calls, own calling conventions",
	 "The frame is not the compiler's usual one."},
	{"no-common-form", "a live value of a type that has no common form",
	 "A vector of odd elements or an integer of more than 128 bits is needed again after a\n"
	 "call, and cannot be written down for both ISAs. Keep it in memory across the call."},
	{"differs", "the code differs between the ISAs",
	 "The source asks for the machine (#if defined(__x86_64__)), so the two compilers see two\n"
	 "functions. What to do: take the portable branch for both; __DROVER__ is defined."},
	{"va_list", "a va_list of the platform",
	 "Variable arguments have one form of Drover's own in a program, from <stdarg.h>. The\n"
	 "file uses another, most likely because another compiler preprocessed it."},
	{"union-by-value", "a union of floating-point numbers and other members by value",
	 "Over 16 bytes, with three or four floating-point numbers of one kind as its largest\n"
	 "member. One ISA hands such a union over in registers, the other in memory, and the code\n"
	 "alone does not tell it from a structure of such numbers. What to do: pass its address,\n"
	 "or put it into a structure with a member of another kind."},
	{"openmp", "-fopenmp is refused",
	 "There is no OpenMP runtime for bundles: its team of threads and its own barriers would\n"
	 "have to be made of parts that can be rebuilt. Without the option the pragmas have no\n"
	 "effect and the program runs in one thread, which moves; POSIX and C11 threads move too."},
	{"dynamic-libraries", "-shared, and code loaded at run time",
	 "A program has to keep its addresses, so all of it is linked at once. -shared makes a\n"
	 "library that programs take whole, constructors included. Code that is loaded later is\n"
	 "known to one ISA only: dlopen answers with an error (-Wdrover-dlopen). Name the library\n"
	 "when the program is linked."},
	{"vfork", "a call of vfork",
	 "It shares a stack with another process. What to do: use posix_spawn, or fork."},
};

int explain(const char *id, struct err *err)
{
	const char *name = !strncmp(id, "-W", 2) ? id + 2 : id;

	if (!*name || !strcmp(name, "list")) {
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
			printf("%-22s %s\n", entries[i].id, entries[i].title);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		if (strcmp(entries[i].id, name) != 0)
			continue;
		printf("%s: %s\n\n%s\n", entries[i].id, entries[i].title, entries[i].text);
		return 0;
	}
	err_set(err, -ENOENT, "nothing is known of '%s'", id);
	return err_hint(err, "drover-cc --explain lists what is");
}
