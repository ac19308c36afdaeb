/* transfer.c - see transfer.h. */
#include "transfer.h"
#include "server/base/log.h"
#include "server/base/observe/shard.h"
#include "server/http/message/head.h"
#include "server/http/message/head_scanner.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <strings.h>
#include <sys/socket.h>
#include <uv.h>

enum {
    ANSWER_HEAD = 64 * 1024,                 /* bytes of an answer's headers, at most */
    TOO_LARGE = 100,                         /* CURLE_TOO_LARGE, since libcurl 8.6 */
};

http_client_options client_settings = {
    .connections = 16, .line = 1024, .timeout_ms = 10000, .connect_timeout_ms = 2000, .size = 1 << 20,
};

static bool certificates_by_name;            /* the system has a folder of them, each under its hash */

/* To read the bundle of all takes a loop 30 ms, for each connection; to find one in a folder, none. */
static bool transfer_has_certificates(const char *path)
{
    DIR *folder = path ? opendir(path) : NULL;
    bool found = false;
    if (!folder)
        return false;
    for (const struct dirent *e; !found && (e = readdir(folder));)
        found = strspn(e->d_name, "0123456789abcdef") == 8 && strcmp(e->d_name + 8, ".0") == 0;
    closedir(folder);
    return found;
}

void transfer_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    certificates_by_name = transfer_has_certificates(curl_version_info(CURLVERSION_NOW)->capath);
}

/* What may be asked. */

static size_t call_token_length(const char *s)
{
    size_t length = 0;
    while (HEAD_TOKEN[(unsigned char)s[length]])
        length++;
    return length;
}

static bool call_is_line(const char *s)      /* one that ends where it should */
{
    for (; *s; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

static bool call_is_header(const char *s)
{
    const size_t name = call_token_length(s);
    return name > 0 && s[name] == ':' && call_is_line(s + name);
}

static bool call_is_valid(const http_call *c)
{
    const char *method = c->method ? c->method : "GET";
    if (strncasecmp(c->url, "http://", 7) != 0 && strncasecmp(c->url, "https://", 8) != 0)
        return false;
    if (!*method || method[call_token_length(method)] || !call_is_line(c->url) || (c->type && !call_is_line(c->type)))
        return false;
    for (const char *const *h = c->headers; h && *h; h++)
        if (!call_is_header(*h))
            return false;
    return true;
}

/* By its maker, who knows better. */
static bool call_is_traced(const http_call *call)
{
    static const char NAME[] = "traceparent:";
    for (const char *const *h = call->headers; h && *h; h++)
        if (strncasecmp(*h, NAME, sizeof NAME - 1) == 0)
            return true;
    return false;
}

int transfer_init(transfer *t, arena *a, const http_call *call, http_answer *out)
{
    if (!call_is_valid(call))
        return UV_EINVAL;
    const uint64_t timeout = call->timeout_ms ? call->timeout_ms : client_settings.timeout_ms;
    *t = (transfer){
        .call = *call, .arena = a, .out = out,
        .timeout_ms = timeout < INT_MAX ? timeout : INT_MAX,
        .most = call->most ? call->most : client_settings.size,
    };
    if (!call_is_traced(call))
        outgoing_call_begin(&t->traced, a, call->method ? call->method : "GET", call->url);
    return 0;
}

/* What libcurl tells of it. */

/* Of the final answer: one before it, such as 100, is forgotten, and so is what follows the body. */
static size_t transfer_on_head(char *at, size_t one, size_t length, void *arg)
{
    transfer *t = arg;
    (void)one;
    if (length > 5 && memcmp(at, "HTTP/", 5) == 0) {
        t->head.length = 0;
        t->head_done = false;
    }
    if (t->head_done)
        return length;
    if (length > ANSWER_HEAD - t->head.length) {
        t->refusal = UV_E2BIG;
        return 0;
    }
    buffer_text(&t->head, (text){ at, length });
    t->head_done = *at == '\r' || *at == '\n';
    return length;
}

/* One that says how long it will be needs no memory but that, or is refused before it has come. */
static void transfer_expect(transfer *t)
{
    curl_off_t announced = -1;
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced > 0 && (uint64_t)announced > t->most)
        t->refusal = UV_E2BIG;
    else if (announced > 0)
        t->body = (buffer){ t->arena, arena_room(t->arena, (size_t)announced), 0, (size_t)announced };
}

static size_t transfer_on_body(char *at, size_t one, size_t length, void *arg)
{
    transfer *t = arg;
    (void)one;
    if (t->body.capacity == 0)
        transfer_expect(t);
    if (length > t->most - t->body.length)
        t->refusal = UV_E2BIG;
    if (t->refusal)
        return 0;
    buffer_text(&t->body, (text){ at, length });
    return length;
}

static int transfer_on_look_up(void *resolver, void *reserved, void *arg)
{
    (void)resolver;
    (void)reserved;
    ((transfer *)arg)->looking_up = true;
    return 0;
}

static curl_socket_t transfer_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    transfer *t = arg;
    (void)purpose;
    t->looking_up = false;
    if (t->abandoned)
        return CURL_SOCKET_BAD;
    const int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    t->no_socket = fd < 0 ? uv_translate_sys_error(errno) : 0;
    return fd;
}

/* The request. */

static bool method_is_one_of(const char *method, const char *const names[])
{
    while (*names && strcmp(method, *names) != 0)
        names++;
    return *names;
}

static void transfer_set_method(transfer *t)
{
    static const char *const NEVER_TWICE[] = { "POST", "PATCH", NULL }, *const WITH_BODY[] = { "POST", "PUT", "PATCH", NULL };
    const char *method = t->call.method ? t->call.method : "GET";
    const text body = t->call.body;

    if (body.length > 0 || method_is_one_of(method, WITH_BODY)) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body.length ? body.at : "");
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, "GET") != 0 || body.length > 0)
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
    /* libcurl sends again what it sent on a connection that turns out to be dead: not on a new one. */
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, (long)method_is_one_of(method, NEVER_TWICE));
}

static void transfer_set_headers(transfer *t)
{
    const char *type = t->call.type ? arena_printf(t->arena, "Content-Type: %s", t->call.type) : "Content-Type:";
    t->headers = curl_slist_append(NULL, type);              /* without a value: none */
    t->headers = curl_slist_append(t->headers, "Expect:");   /* no waiting for 100 */
    for (const char *const *h = t->call.headers; h && *h; h++)
        t->headers = curl_slist_append(t->headers, *h);
    for (int i = 0; i < t->traced.count; i++)
        t->headers = curl_slist_append(t->headers, t->traced.headers[i]);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void transfer_set_bounds(transfer *t, uint64_t left_ms)
{
    const uint64_t left = left_ms ? left_ms : 1, connect = client_settings.connect_timeout_ms;
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect < left ? connect : left));
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->easy, CURLOPT_PROXY, "");            /* "": nor one of the environment */
    curl_easy_setopt(t->easy, certificates_by_name ? CURLOPT_CAINFO : CURLOPT_CAPATH, NULL); /* the other has them */
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);       /* do not wait for a name that comes too late */
}

void transfer_begin(transfer *t, CURL *easy, uint64_t left_ms)
{
    t->easy = easy;
    buffer_init(&t->head, t->arena);
    buffer_init(&t->body, t->arena);
    curl_easy_setopt(easy, CURLOPT_URL, t->call.url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tenk/" TENK_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->words);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, transfer_on_look_up);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, t);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, transfer_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    transfer_set_method(t);
    transfer_set_headers(t);
    transfer_set_bounds(t, left_ms);
}

void transfer_abandon(transfer *t)
{
    t->abandoned = true;
    t->arena = NULL;
    t->out = NULL;
}

/* How it has ended: its answer, or libcurl's error as one of libuv's. */

static int transfer_connect_error(const transfer *t)
{
    long number = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    return t->no_socket ? t->no_socket : number > 0 ? uv_translate_sys_error((int)number) : UV_ECONNREFUSED;
}

static int transfer_error(const transfer *t, int code)
{
    long number = 0;
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return UV_EINVAL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return UV_EAI_NONAME;
    case CURLE_COULDNT_CONNECT:
        return transfer_connect_error(t);
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
        const int err = t->refusal ? t->refusal : transfer_error(t, (int)code);
        log_debug("outgoing: %s: %s", uv_err_name(err), t->refusal ? "a larger answer than it may be" :
                  *t->words ? t->words : curl_easy_strerror(code));
        return err;
    }
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    *t->out = (http_answer){ .status = (int)status, .head = buffer_all(&t->head), .body = buffer_all(&t->body) };
    t->out->type = http_answer_header(t->out, "content-type");
    return 0;
}

void transfer_told(const transfer *t, int err) { outgoing_call_end(&t->traced, err ? err : t->out->status); }

void transfer_count(const transfer *t, uint64_t since, uint64_t begun, int err)
{
    static const char *const CLASSES[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
    const int class = err ? 0 : t->out->status / 100;
    const char *const outcome = err == UV_ETIMEDOUT              ? "timeout"
                                : err == UV_ECANCELED            ? "canceled"
                                : err || class < 1 || class > 5 ? "error"
                                                                 : CLASSES[class - 1];
    const uint64_t now = uv_hrtime();
    shard_count_timed(SHARD_OUTGOING, outcome, (begun ? begun : now) - since, begun ? now - begun : SHARD_NOT_BEGUN, err != 0);
}

text http_answer_header(const http_answer *got, const char *name)
{
    const size_t length = strlen(name);
    const char *at = got->head.at, *const end = at + got->head.length;
    for (const char *next; (next = memchr(at, '\n', (size_t)(end - at))); at = next + 1)
        if ((size_t)(next - at) > length && at[length] == ':' && strncasecmp(at, name, length) == 0)
            return text_trim((text){ at + length + 1, (size_t)(next - at) - length - 1 - (next[-1] == '\r') });
    return TEXT("");
}

/* What libcurl knows of an error of the kernel outlives a reset: after an error there is none. */
CURL *transfer_end(transfer *t, int err)
{
    CURL *easy = t->easy;
    t->easy = NULL;
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    if (err) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    curl_easy_reset(easy);
    return easy;
}
