/* test_peer.c - who is at the other end of a connection, and for whom it speaks. */
#include "server/http/peer/peer.h"
#include "tests/unit/suites.h"
#include "heads.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

static const char LINES[] = "Host: own\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n";
static peer_trust trust;
static int ours, theirs;                     /* the peer's end */
static text name = { "", 0 };                /* as it is known when it has come */

static void connect_unix(void)
{
    int both[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
    ours = both[0], theirs = both[1];
}

/* From 127.0.0.1. */
static void connect_tcp(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&a, size), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    getsockname(listening, (struct sockaddr *)&a, &size);
    theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(theirs, (struct sockaddr *)&a, size), 0);
    ours = accept(listening, NULL, NULL);
    close(listening);
}

static void disconnect(void)
{
    close(ours);
    close(theirs);
    trusted_free(trust.proxies);
    trust.proxies = NULL;
}

/* ADDRESS SCHEME HOST, where a unix socket's address is "unix:". */
static const char *client_of(const proxy_header *told)
{
    static char words[256];
    char room[IP_TEXT], again[IP_TEXT];
    header headers[8];
    const peer p = { ours, &trust, told, name };
    const int count = headers_of(LINES, headers);
    const peer_client c = peer_find_client(&p, LINES, headers, count);
    const text host = peer_find_host(&p, LINES, headers, count);
    ck_assert(text_equal(c.host, host));
    const text address = peer_client_write(&c, room);
    ck_assert(text_equal(address, peer_find_name(&p, LINES, headers, count, again)));
    snprintf(words, sizeof words, "%.*s %.*s %.*s", (int)address.length, address.at, (int)c.scheme.length, c.scheme.at,
             (int)c.host.length, c.host.at);
    return words;
}

START_TEST(the_headers_of_who_is_not_trusted_count_for_nothing)
{
    static const char *const OTHERS[] = { "none", "10.0.0.0/8", "unix", "::1" };
    connect_tcp();
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        trusted_free(trust.proxies);
        trust.proxies = trusted_new(OTHERS[i]);
        ck_assert_str_eq(client_of(NULL), "127.0.0.1 http own");
        ck_assert(!peer_is_trusted(&(peer){ ours, &trust, NULL, name }));
    }
    disconnect();
}
END_TEST

START_TEST(those_of_a_trusted_proxy_count)
{
    connect_tcp();
    trust.proxies = trusted_new("10.0.0.0/8, 127.0.0.1");
    ck_assert_str_eq(client_of(NULL), "192.0.2.1 https a");
    ck_assert(peer_is_trusted(&(peer){ ours, &trust, NULL, name }));
    disconnect();
}
END_TEST

START_TEST(who_comes_by_a_unix_socket_is_trusted_if_that_is_said)
{
    connect_unix();
    trust.proxies = trusted_new("127.0.0.1");
    ck_assert_str_eq(client_of(NULL), "unix: http own");
    ck_assert(!peer_is_trusted(&(peer){ ours, &trust, NULL, name }));
    trusted_free(trust.proxies);
    trust.proxies = trusted_new("unix");
    ck_assert_str_eq(client_of(NULL), "192.0.2.1 https a");
    ck_assert(peer_is_trusted(&(peer){ ours, &trust, NULL, name }));
    disconnect();
}
END_TEST

/* Else its headers would be those of a unix socket's peer. */
START_TEST(one_that_is_gone_is_nobody)
{
    connect_tcp();
    trust.proxies = trusted_new("unix, 127.0.0.1");
    ck_assert_int_eq(setsockopt(theirs, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)), 0);
    close(theirs);
    theirs = -1;
    char byte;
    ck_assert_int_eq(recv(ours, &byte, 1, 0), -1);           /* by now the reset has come */
    ck_assert_str_eq(client_of(NULL), " http own");
    name = TEXT("127.0.0.1");                /* but if it was looked at while it was there */
    ck_assert_str_eq(client_of(NULL), "192.0.2.1 https a");
    name = TEXT("unix:");
    ck_assert_str_eq(client_of(NULL), "192.0.2.1 https a");
    name = TEXT("198.51.100.1");
    ck_assert_str_eq(client_of(NULL), "198.51.100.1 http own");
    name = TEXT("");
    disconnect();
}
END_TEST

START_TEST(what_the_proxy_protocol_has_said_comes_before_the_headers)
{
    proxy_header told = { .known = true, .tls = true };
    connect_tcp();
    trust.proxies = trusted_new("127.0.0.1, 10.0.0.0/8");
    ck_assert_int_eq(ip_parse(&told.client, TEXT("198.51.100.7")), 0);
    ck_assert_str_eq(client_of(&told), "198.51.100.7 https own");
    ck_assert_int_eq(ip_parse(&told.client, TEXT("10.0.0.7")), 0);           /* a proxy before the proxy */
    ck_assert_str_eq(client_of(&told), "192.0.2.1 https a");
    told = (proxy_header){ .known = false };                 /* it has spoken for itself */
    ck_assert_str_eq(client_of(&told), "192.0.2.1 https a");
    disconnect();
}
END_TEST

Suite *peer_suite(void)
{
    Suite *s = suite_create("peer");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_headers_of_who_is_not_trusted_count_for_nothing);
    tcase_add_test(t, those_of_a_trusted_proxy_count);
    tcase_add_test(t, who_comes_by_a_unix_socket_is_trusted_if_that_is_said);
    tcase_add_test(t, one_that_is_gone_is_nobody);
    tcase_add_test(t, what_the_proxy_protocol_has_said_comes_before_the_headers);
    suite_add_tcase(s, t);
    return s;
}
