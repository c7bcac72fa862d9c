/* The two small languages of the command line: the mix of jobs and the spacing of waves. */
#include "workloads/waves/waves.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char classes[] = "SWABC";

/* Reads decimal digits at *at, from 1 to max; advances *at. */
static bool number(const char **at, uint64_t max, uint64_t *out)
{
	const char *p = *at;
	uint64_t n = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > max)
			return false;
	}
	*at = p;
	*out = n;
	return true;
}

/* Reads a program's name at *at, up to the '.'. */
static bool program(const char **at, struct wave_kind *k)
{
	const char *p = *at;
	size_t n = 0;

	for (; (*p >= 'a' && *p <= 'z') || (n && ((*p >= '0' && *p <= '9') || *p == '-')); p++) {
		if (n == sizeof(k->program) - 1)
			return false;
		k->program[n++] = *p;
	}
	k->program[n] = '\0';
	*at = p;
	return n > 0;
}

/* Reads one entry at *at; what it says about the first thing that is wrong, or NULL. */
static const char *entry(const char **at, struct wave_kind *k, uint32_t *weight)
{
	uint64_t n;

	if (!program(at, k))
		return "a program's name is missing or wrong (lower-case letters, digits, '-')";
	if (*(*at)++ != '.')
		return "a '.' and a class must follow the program";
	if (!**at || !strchr(classes, **at))
		return "the class must be one of S, W, A, B, C";
	k->class = *(*at)++;
	k->repeat = 1;
	if (**at == 'x') {
		(*at)++;
		if (!number(at, WAVES_MAX_REPEAT, &n) || n == 0)
			return "the repetitions must be a number from 1 to 1000000";
		k->repeat = (uint32_t)n;
	}
	if (**at != '=')
		return "'=' and a weight are missing";
	(*at)++;
	if (!number(at, WAVES_MAX_WEIGHT, &n) || n == 0)
		return "the weight must be a number from 1 to 1000000";
	*weight = (uint32_t)n;
	return **at && **at != ',' ? "only ',' may follow the weight" : NULL;
}

static const char study[] = "ep.A=1,ep.B=1,ep.C=1,is.A=1,is.B=1,is.C=1,cg.A=1,cg.B=1,cg.C=1,"
			    "mg.A=1,mg.B=1,mg.C=1,ft.A=1,ft.B=1,ft.C=1";

int wave_mix_parse(const char *text, struct wave_params *p, struct err *e)
{
	const char *at = strcmp(text, WAVES_MIX_STUDY) ? text : study;
	size_t n = 0;

	for (;; at++) {
		const char *start = at, *wrong;

		if (n == WAVES_MAX_KINDS)
			return err_set(e, -EINVAL, "mix: more than %d entries", WAVES_MAX_KINDS);
		wrong = entry(&at, &p->kinds[n], &p->weights[n]);
		if (wrong) {
			err_set(e, -EINVAL, "mix: entry %zu, '%.*s': %s", n + 1,
				(int)(strcspn(start, ",") & 0xff), start, wrong);
			return err_hint(e, "write PROGRAM.CLASS[xREPEAT]=WEIGHT, for example "
					   "ep.S=3,is.Wx10=1");
		}
		n++;
		if (!*at)
			break;
	}
	p->nkinds = n;
	return 0;
}

int wave_mix_format(const struct wave_params *p, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < p->nkinds; i++) {
		const struct wave_kind *k = &p->kinds[i];
		char repeat[16] = "";
		int n;

		if (k->repeat != 1)
			snprintf(repeat, sizeof(repeat), "x%u", k->repeat);
		n = snprintf(out + used, size - used, "%s%s.%c%s=%u", i ? "," : "", k->program,
			     k->class, repeat, p->weights[i]);
		if (n < 0 || (size_t)n >= size - used)
			return -ENOBUFS;
		used += (size_t)n;
	}
	return 0;
}

/* Reads seconds with up to three decimals at *at as milliseconds. */
static bool seconds(const char **at, uint64_t *ms)
{
	uint64_t n;

	if (!number(at, WAVES_MAX_SPACING / 1000, &n))
		return false;
	*ms = n * 1000;
	if (**at != '.')
		return true;
	(*at)++;
	for (uint64_t unit = 100; unit; unit /= 10) {
		if (**at < '0' || **at > '9')
			return unit < 100;
		*ms += unit * (uint64_t)(*(*at)++ - '0');
	}
	return true;
}

int wave_spacing_parse(const char *text, struct wave_params *p, struct err *e)
{
	const char *at = text;
	uint64_t lo, hi;
	bool ok = seconds(&at, &lo);

	hi = lo;
	if (ok && *at == ':') {
		at++;
		ok = seconds(&at, &hi);
	}
	if (!ok || *at || lo > hi || hi > WAVES_MAX_SPACING)
		return err_set(
			e, -EINVAL,
			"spacing: '%.64s' is not MIN:MAX in seconds, with MIN <= MAX <= a year",
			text);
	p->spacing_min_ms = lo;
	p->spacing_max_ms = hi;
	return 0;
}
