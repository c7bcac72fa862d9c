/*
 * A program from its first function of its own to its last: constructors, main, exit handlers,
 * destructors. In place of the C library's, and instrumented, so that a program can migrate inside
 * any of them. The tables of constructors and destructors stay at home: only numbers into them
 * live across a call.
 */
#include <stdlib.h>
#include <unistd.h>

typedef void function(void);

extern function *const __init_array_start[] __attribute__((__weak__));
extern function *const __init_array_end[] __attribute__((__weak__));
extern function *const __fini_array_start[] __attribute__((__weak__));
extern function *const __fini_array_end[] __attribute__((__weak__));

/* There if anything has asked for them. */
void __funcs_on_exit(void) __attribute__((__weak__));
void __stdio_exit(void) __attribute__((__weak__));

int main(int argc, char **argv, char **envp);
int __drover_program(int argc, char **argv, char **envp);

static long constructors(void)
{
	return __init_array_end - __init_array_start;
}

static long destructors(void)
{
	return __fini_array_end - __fini_array_start;
}

_Noreturn void exit(int status)
{
	if (__funcs_on_exit)
		__funcs_on_exit();
	for (long i = destructors(); i > 0; i--)
		__fini_array_start[i - 1]();
	if (__stdio_exit)
		__stdio_exit();
	_exit(status);
}

/* The runtime's entry to the program; outermost of the frames that move. */
int __drover_program(int argc, char **argv, char **envp)
{
	for (long i = 0; i < constructors(); i++)
		__init_array_start[i]();
	exit(main(argc, argv, envp));
}
