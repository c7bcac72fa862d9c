/* A state machine made of gotos: loops without loop statements, jumps into and out of them. */
#include "sum.h"

static const char text[] = "/* a */ x = \"s\\\"t\"; // end\ny /= 2; /** b **/ z = '\\'';\n\"open";

int main(void)
{
	const char *p = text;
	int code = 0, comments = 0, strings = 0, depth = 0, c;
	uint64_t h = SUM_START;

	p += some(1) - 1;
in_code:
	c = *p++;
	if (!c)
		goto done;
	h = mix(h, (uint64_t)c);
	code++;
	if (c == '/')
		goto slash;
	if (c == '"' || c == '\'')
		goto in_string;
	goto in_code;
slash:
	c = *p++;
	if (c == '*')
		goto in_comment;
	if (c == '/')
		goto in_line;
	p--;
	goto in_code;
in_comment:
	comments++;
again:
	c = *p++;
	if (!c)
		goto unfinished;
	if (c == '*' && *p == '/') {
		p++;
		goto in_code;
	}
	goto again;
in_line:
	comments++;
	while ((c = *p++) != '\n')
		if (!c)
			goto unfinished;
	goto in_code;
in_string:
	strings++;
	depth = c;
next:
	c = *p++;
	if (!c)
		goto unfinished;
	if (c == '\\') {
		p++;
		goto next;
	}
	if (c != depth)
		goto next;
	goto in_code;
unfinished:
	printf("unfinished at %td\n", p - text);
done:
	printf("code %d comments %d strings %d\n", code, comments, strings);
	show("code", h);
	return 0;
}
