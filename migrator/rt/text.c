#include "migrator/rt/rt.h"

#include <errno.h>
#include <sys/syscall.h>

void text_str(struct text *t, const char *s)
{
	while (*s && t->n + 1 < sizeof t->b)
		t->b[t->n++] = *s++;
	t->b[t->n] = '\0';
}

static void number(struct text *t, uint64_t v, unsigned base)
{
	char digits[21], *p = &digits[20];

	*p = '\0';
	do {
		*--p = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	text_str(t, p);
}

void text_num(struct text *t, uint64_t v)
{
	number(t, v, 10);
}

void text_hex(struct text *t, uint64_t v)
{
	text_str(t, "0x");
	number(t, v, 16);
}

void rt_say(const struct text *t)
{
	char line[sizeof t->b + 16] = "drover: ";
	size_t n = 8;

	for (size_t i = 0; i < t->n; i++)
		line[n++] = t->b[i];
	line[n++] = '\n';
	kernel(SYS_write, 2, line, n);
}

_Noreturn void rt_exit(int status)
{
	for (;;)
		kernel(SYS_exit_group, status);
}

_Noreturn void rt_die(const struct text *t, int status)
{
	rt_say(t);
	control_send(DROVER_MSG_REFUSED, status, NULL, 0, t);
	rt_exit(RT_EXIT);
}
