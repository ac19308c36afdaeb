/* handshake.c - see handshake.h. SHA-1 and base64 are OpenSSL's. */
#include "handshake.h"
#include "server/http/request_internal.h"
#include "server/http/request.h"

#include <openssl/evp.h>

enum { KEY = 24, KEY_BYTES = 16 };           /* characters in base64; what they stand for */

static bool header_names(text list, const char *lower)
{
    text member;
    while (text_next_member(&list, &member))
        if (text_is(member, lower))
            return true;
    return false;
}

/* 16 bytes are 22 characters and two of padding. */
static bool key_is_whole(text key)
{
    unsigned char bytes[KEY / 4 * 3];
    return key.length == KEY && key.at[KEY - 1] == '=' && key.at[KEY - 2] == '=' && key.at[KEY - 3] != '=' &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key.at, KEY) == KEY_BYTES + 2;
}

static int refuse_without_upgrade(request *req, const char *why)
{
    respond_header(req, "Upgrade", "websocket");
    respond_header(req, "Connection", "Upgrade");
    respond_header(req, "Sec-WebSocket-Version", "13");
    return respond_problem(req, 426, "%s", why);
}

int websocket_handshake_check(request *req)
{
    const text connection = request_list(req, "connection");
    if (req->method != HTTP_GET || req->minor == 0 || !header_names(request_list(req, "upgrade"), "websocket"))
        return refuse_without_upgrade(req, "This address is for a WebSocket, which a GET of HTTP/1.1 opens.");
    if (!text_equal(request_list(req, "sec-websocket-version"), TEXT("13")))
        return refuse_without_upgrade(req, "The server speaks version 13 of the WebSocket protocol, and no other.");
    if (!header_names(connection, "upgrade") || header_names(connection, "close"))
        return respond_problem(req, 400, "A WebSocket is opened with a Connection header that says Upgrade, and not close.");
    if (!key_is_whole(request_list(req, "sec-websocket-key")))
        return respond_problem(req, 400, "A WebSocket is opened with one Sec-WebSocket-Key, of 16 bytes in base64.");
    if (req->body)
        return respond_problem(req, 400, "A WebSocket is opened by a request without a body.");
    return 0;
}

int websocket_handshake_digest(text key, char digest[WEBSOCKET_ACCEPT])
{
    static const char ID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char both[KEY + sizeof ID], sum[EVP_MAX_MD_SIZE], ascii[EVP_MAX_MD_SIZE * 4 / 3 + 5];
    unsigned length;
    memcpy(both, key.at, KEY);
    memcpy(both + KEY, ID, sizeof ID - 1);
    if (!EVP_Digest(both, KEY + sizeof ID - 1, sum, &length, EVP_sha1(), NULL))
        return HTTP_STATUS(500);
    EVP_EncodeBlock(ascii, sum, (int)length);
    memcpy(digest, ascii, WEBSOCKET_ACCEPT);
    return 0;
}

void websocket_handshake_trim(void) { OPENSSL_thread_stop(); }

text websocket_handshake_protocol(text protocols, text offered)
{
    text ours, theirs;
    while (text_next_member(&protocols, &ours))
        for (text left = offered; ours.length > 0 && text_next_member(&left, &theirs);)
            if (text_equal(ours, theirs))
                return ours;
    return TEXT("");
}
