/* Wide characters: conversion in steps with the state kept, wide formatting and scanning. */
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

#include "sum.h"

int main(void)
{
	const char *text = "plain ASCII text, twice over";
	wchar_t wide[64];
	mbstate_t state = {0};
	uint64_t h = SUM_START;
	size_t n = 0;

	for (const char *p = text; *p;) {
		size_t k = mbrtowc(&wide[n], p, 1, &state);
		if (k == 0 || k > 1)
			return 1;
		h = mix(h, (uint64_t)wide[n++]);
		p += k;
	}
	wide[n] = L'\0';
	for (int i = 0; i < some(6); i++) {
		wchar_t line[40];
		swprintf(line, 40, L"%d %ls %c", i, i % 2 ? L"odd" : L"even", 'x');
		for (wchar_t *p = line; *p; p++)
			h = mix(h, (uint64_t)*p);
	}
	show("wide", h);
	printf("%zu %d %ld\n", wcslen(wide), wcscmp(wide, L"plain") > 0,
	       wcstol(L"-1234", NULL, 10));
	return 0;
}
