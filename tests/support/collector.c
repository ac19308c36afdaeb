/* collector.c - see collector.h. */
#include "collector.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 20, KEPT = 64 };

static int             listener;
static char            url[64];
static pthread_t       thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  come = PTHREAD_COND_INITIALIZER;
static char           *bodies[KEPT];         /* under the lock, as is the count */
static int             count, taken;
static atomic_int      status = 200;

static size_t body_length(const char *head)
{
    const char *const at = strcasestr(head, "\r\nContent-Length:");
    return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* One request, and the end: libcurl makes a connection for each POST. */
static void serve(int fd)
{
    char *const all = malloc(MOST + 1), *end = NULL, answer[128];
    size_t n = 0;
    for (ssize_t more; n < MOST && (more = recv(fd, all + n, MOST - n, 0)) > 0;) {
        all[n += (size_t)more] = '\0';
        if (!end)
            end = strstr(all, "\r\n\r\n");
        if (end && n >= (size_t)(end + 4 - all) + body_length(all))
            break;
    }
    const int code = atomic_load(&status);
    if (code) {
        const int length = snprintf(answer, sizeof answer,
                                    "HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", code);
        send(fd, answer, (size_t)length, MSG_NOSIGNAL);
    }
    pthread_mutex_lock(&lock);
    if (end && count < KEPT)
        bodies[count++] = strdup(end + 4);
    pthread_cond_signal(&come);
    pthread_mutex_unlock(&lock);
    if (!code)
        recv(fd, all, 1, 0);                 /* until who asks has gone */
    close(fd);
    free(all);
}

static void *run(void *arg)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        serve(fd);
    return arg;
}

void collector_start(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    getsockname(listener, (struct sockaddr *)&at, &length);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/traces", ntohs(at.sin_port));
    sigset_t all, before;                    /* SIGTERM is for a server; and who asks one has no thread_start */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    ck_assert_int_eq(pthread_create(&thread, NULL, run, NULL), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void collector_stop(void)
{
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
}

const char *collector_url(void)   { return url; }
void collector_answer(int code)   { atomic_store(&status, code); }

json_t *collector_next(void)
{
    json_error_t why;
    pthread_mutex_lock(&lock);
    while (taken == count)
        pthread_cond_wait(&come, &lock);
    char *const body = bodies[taken++];
    pthread_mutex_unlock(&lock);
    json_t *const message = json_loads(body, JSON_REJECT_DUPLICATES, &why);
    ck_assert_msg(message != NULL, "%s in %s", why.text, body);
    free(body);
    return message;
}

static const json_t *first_of(const json_t *object, const char *key) { return json_array_get(json_object_get(object, key), 0); }

const json_t *span_named(const json_t *message, const char *name)
{
    const json_t *const spans = json_object_get(first_of(first_of(message, "resourceSpans"), "scopeSpans"), "spans");
    for (size_t i = 0; i < json_array_size(spans); i++) {
        const json_t *const span = json_array_get(spans, i);
        if (strcmp(json_string_value(json_object_get(span, "name")), name) == 0)
            return span;
    }
    ck_abort_msg("no span %s in %s", name, json_dumps(message, 0));
    return NULL;
}

const char *attribute_of(const json_t *span, const char *key)
{
    const json_t *const all = json_object_get(span, "attributes");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *const one = json_array_get(all, i), *const value = json_object_get(one, "value");
        if (strcmp(json_string_value(json_object_get(one, "key")), key) != 0)
            continue;
        const json_t *const string = json_object_get(value, "stringValue");
        return json_string_value(string ? string : json_object_get(value, "intValue"));
    }
    return NULL;
}
