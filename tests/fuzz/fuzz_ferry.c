/* Everything a ferry reads from others, in one target: the first byte says as what. */
#include <stdint.h>
#include <string.h>

#include "migrator/ferry/handoff.h"
#include "migrator/ferry/serve.h"
#include "migrator/ferry/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void offer(const uint8_t *data, size_t size)
{
	uint8_t raw[HANDOFF_OFFER_SIZE] = {0}, again[HANDOFF_OFFER_SIZE];
	struct handoff_offer o, back;

	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	if (handoff_unpack_offer(raw, &o, NULL))
		return;
	handoff_pack_offer(&o, again);
	if (handoff_unpack_offer(again, &back, NULL) || back.image_bytes != o.image_bytes ||
	    strcmp(back.job, o.job) != 0)
		__builtin_trap();
	(void)handoff_agree(&o, &back, 1u << 20, NULL);
}

static void verdict(const uint8_t *data, size_t size)
{
	uint8_t raw[HANDOFF_VERDICT_SIZE] = {0};
	struct handoff_verdict v;

	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	if (!handoff_unpack_verdict(raw, &v, NULL) && strlen(v.text) >= sizeof(v.text))
		__builtin_trap();
}

static void late(const uint8_t *data, size_t size)
{
	uint8_t raw[HANDOFF_LATE_SIZE] = {0}, again[HANDOFF_LATE_SIZE];
	uint64_t a[4];

	memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));
	if (handoff_unpack_late(raw, a, NULL))
		return;
	handoff_pack_late(a, again);
	if (memcmp(raw, again, sizeof(raw)) != 0)
		__builtin_trap();
}

static void status(const uint8_t *data, size_t size)
{
	struct ferry_status s;
	json_t *j = NULL, *again;

	if (json_parse((const char *)data, size, FERRY_LINE_MAX, "status", &j, NULL))
		return;
	if (!ferry_status_parse(j, &s, NULL)) {
		again = ferry_status_pack(&s);
		if (!again)
			__builtin_trap();
		json_decref(again);
	}
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct serve_request r;
	struct spec s;
	uint64_t id;

	if (!size)
		return 0;
	switch (data[0]) {
	case 'O':
		offer(data + 1, size - 1);
		break;
	case 'L':
		late(data + 1, size - 1);
		break;
	case 'V':
		verdict(data + 1, size - 1);
		break;
	case 'R':
		(void)serve_parse((const char *)data + 1, size - 1, &r, &id, NULL);
		break;
	case 'S':
		(void)spec_parse((const char *)data + 1, size - 1, &s, NULL);
		spec_free(&s);
		break;
	default:
		status(data, size);
		break;
	}
	return 0;
}
