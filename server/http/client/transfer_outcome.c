/* transfer_outcome.c - how a transfer has ended: its answer, or libcurl's error as one of libuv's. */
#include "transfer.h"
#include "server/base/log.h"

#include <uv.h>

enum { TOO_LARGE = 100 };                    /* CURLE_TOO_LARGE, since libcurl 8.6 */

static int could_not_connect(const transfer *t)
{
    long number = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    return t->no_socket ? t->no_socket : number > 0 ? uv_translate_sys_error((int)number) : UV_ECONNREFUSED;
}

static int error_of(const transfer *t, int code)
{
    long number = 0;
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return UV_EINVAL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return UV_EAI_NONAME;
    case CURLE_COULDNT_CONNECT:
        return could_not_connect(t);
    case CURLE_OPERATION_TIMEDOUT:
        return UV_ETIMEDOUT;
    case CURLE_SEND_ERROR: case CURLE_GOT_NOTHING: case CURLE_PARTIAL_FILE:
        return UV_ECONNRESET;
    case CURLE_RECV_ERROR:                   /* by the kernel, or what came made no sense */
        curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
        return number > 0 ? UV_ECONNRESET : UV_EPROTO;
    case CURLE_OUT_OF_MEMORY:
        return UV_ENOMEM;
    case TOO_LARGE:
        return UV_E2BIG;
    case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_WEIRD_SERVER_REPLY: case CURLE_BAD_CONTENT_ENCODING: case CURLE_WRITE_ERROR:
    case CURLE_SSL_CONNECT_ERROR: case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_ISSUER_ERROR:
        return UV_EPROTO;
    default:
        return UV_EIO;
    }
}

int transfer_outcome(transfer *t, CURLcode code)
{
    long status = 0;
    if (t->abandoned)
        return UV_ECANCELED;
    if (code != CURLE_OK || t->refusal) {
        const int err = t->refusal ? t->refusal : error_of(t, (int)code);
        log_debug("outgoing: %s: %s", uv_err_name(err), t->refusal ? "a larger answer than it may be" :
                  *t->words ? t->words : curl_easy_strerror(code));
        return err;
    }
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    *t->out = (http_answer){ .status = (int)status, .head = buffer_all(&t->head), .body = buffer_all(&t->body) };
    t->out->type = http_answer_header(t->out, "content-type");
    return 0;
}
