/* peer.c - any bytes as a header of the PROXY protocol, whole and in parts, and as what proxies say in headers.
 *
 * What is found of a part must be what is found of the whole; and what is named must lie within the bytes. */
#include "server/http/peer/forwarded.h"
#include "server/http/peer/proxy_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define must(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

static void look_at_parts(const char *at, size_t size)
{
    proxy_header h, part;
    const long whole = proxy_header_read(&h, at, size);
    must(whole == UV_EPROTO || (whole >= 0 && whole <= (long)size && whole <= PROXY_HEADER_MOST));
    for (size_t n = 0; n < size; n++) {
        char *const copy = malloc(n + 1);
        memcpy(copy, at, n);
        const long taken = proxy_header_read(&part, copy, n);
        must(taken == 0 || taken == whole);
        must(whole <= 0 || (taken > 0) == (n >= (size_t)whole));
        must(taken <= 0 || (part.known == h.known && part.tls == h.tls && (!h.known || !memcmp(&part.client, &h.client, 16))));
        free(copy);
    }
}

static void must_be_within(text t, const char *at, size_t size)
{
    const bool is_ours = text_equal(t, TEXT("http")) || text_equal(t, TEXT("https"));
    must(t.length == 0 || is_ours || (t.at >= at && t.at + t.length <= at + size));
}

/* The same value for each of the headers, behind their names. */
static void look_at_values(const char *value, size_t size)
{
    static const char *const NAMES[] = { "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded" };
    enum { COUNT = 4, NAME = 32 };
    trusted *const proxies = trusted_new("10.0.0.0/8, ::/1");
    char *const head = calloc(COUNT, NAME + size);
    header headers[COUNT];
    forwarded f;
    for (int i = 0; i < COUNT; i++) {
        const size_t begin = (size_t)i * (NAME + size), length = strlen(NAMES[i]);
        memcpy(head + begin, NAMES[i], length);
        memcpy(head + begin + NAME, value, size);
        headers[i] = (header){ (uint16_t)begin, (uint16_t)length, (uint16_t)(begin + NAME), (uint16_t)size };
    }
    for (int way = FORWARDED_X; way <= FORWARDED_RFC7239; way++) {
        forwarded_find(&f, (forwarded_way)way, proxies, head, headers, COUNT);
        must_be_within(f.scheme, head, COUNT * (NAME + size));
        must_be_within(f.host, head, COUNT * (NAME + size));
    }
    free(head);
    trusted_free(proxies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    look_at_parts((const char *)data, size);
    look_at_values((const char *)data, size);
    return 0;
}
