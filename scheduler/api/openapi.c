/*
 * The API as an OpenAPI 3.1 document: the bytes of openapi.json. A test holds it
 * against the routes and against real answers.
 */
#include <inttypes.h>
#include <string.h>

#include "scheduler/api/handlers.h"

static const unsigned char document[] = {
#include "scheduler/api/openapi.inc"
};

void handle_openapi(struct http_exchange *rq, void *ctx)
{
	uint64_t h = 14695981039346656037ull; /* FNV-1a 64, as of other answers */
	char tag[24];

	(void)ctx;
	for (size_t i = 0; i < sizeof(document); i++)
		h = (h ^ document[i]) * 1099511628211ull;
	(void)snprintf(tag, sizeof(tag), "%016" PRIx64, h);
	if (!http_etag(rq, tag))
		http_reply_bytes(rq, 200, "application/json", document, sizeof(document));
}
