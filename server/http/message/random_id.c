/* random_id.c - see random_id.h. */
#include "random_id.h"

#include <assert.h>
#include <string.h>
#include <uv.h>

enum { STOCK = 1024 };                       /* bytes: of 64 ids */

static void random_bytes(uint8_t *to, size_t length)
{
    static _Thread_local uint8_t stock[STOCK];
    static _Thread_local size_t left;
    assert(length <= STOCK);
    if (length > left) {
        const int err = uv_random(NULL, NULL, stock, sizeof stock, 0, NULL);
        assert(!err && "the kernel gives random bytes, once it has booted");
        (void)err;
        left = STOCK;
    }
    memcpy(to, stock + STOCK - left, length);
    left -= length;
}

void random_hex(char *to, size_t digits)
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t bytes[64];
    random_bytes(bytes, digits / 2);
    for (size_t i = 0; i < digits; i += 2) {
        to[i] = HEX[bytes[i / 2] >> 4];
        to[i + 1] = HEX[bytes[i / 2] & 15];
    }
}

uint64_t random_number(void)
{
    uint64_t n;
    random_bytes((uint8_t *)&n, sizeof n);
    return n;
}
