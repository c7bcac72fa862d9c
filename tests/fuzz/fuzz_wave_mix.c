/* The mix and spacing parsers take any text; what they accept, they write and read back the same.
 */
#include <stdint.h>
#include <string.h>

#include "workloads/waves/waves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wave_params p = {0}, again = {0};
	char text[4097], out[4096];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	wave_spacing_parse(text, &p, NULL);
	if (wave_mix_parse(text, &p, NULL) < 0)
		return 0;
	if (wave_mix_format(&p, out, sizeof(out)) < 0 || wave_mix_parse(out, &again, NULL) < 0 ||
	    again.nkinds != p.nkinds ||
	    memcmp(again.weights, p.weights, p.nkinds * sizeof(p.weights[0])) != 0)
		__builtin_trap();
	return 0;
}
