/* Each line with an "error" comment calls what no program that migrates may call. */
int vfork(void) __attribute__((returns_twice));

int reads(int n, ...)
{
	__builtin_va_list ap;
	int sum;

	__builtin_va_start(ap, n); /* error: a va_list of the platform */
	sum = __builtin_va_arg(ap, int);
	__builtin_va_end(ap);
	return sum;
}

void *run(void *arg)
{
	return vfork() ? arg : 0; /* error: vfork */
}
