/* test_listener.c - where a server listens. */
#include "server/http/listen/listener.h"
#include "tests/support/skipped.h"
#include "tests/unit/suites.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static listeners all;
static char why[512];

static int opens(const char *list, int sockets)
{
    why[0] = '\0';
    return listeners_open(&all, "public", list, sockets, why, sizeof why);
}

static int port_of(const listener *l) { return atoi(strrchr(l->address, ':') + 1); }

static bool has_ipv6(void)
{
    const struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

START_TEST(each_address_is_a_listener_with_a_socket_for_each_that_accepts)
{
    char list[64], names[1024], expected[1024];
    snprintf(list, sizeof list, "127.0.0.1:0, 127.0.0.2:0, unix:@tenk-listener-%d", (int)getpid());
    ck_assert_msg(opens(list, 3) == 0, "%s", why);
    ck_assert_int_eq(all.count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(all.at[i].name, "public");
        ck_assert_int_eq(all.at[i].count, 3);
        for (int k = 0; k < 3; k++)
            ck_assert_int_ge(all.at[i].sockets[k], 0);
    }
    ck_assert_int_ne(port_of(&all.at[0]), 0);
    ck_assert_str_eq(all.at[0].own_address, all.at[0].address);
    ck_assert_str_eq(all.at[2].address, strstr(list, "unix:"));
    ck_assert_str_eq(all.at[2].own_address, "");
    snprintf(expected, sizeof expected, "%s, %s, %s", all.at[0].address, all.at[1].address, all.at[2].address);
    listeners_write(&all, "public", names, sizeof names);
    ck_assert_str_eq(names, expected);
    listeners_close(&all);
    ck_assert_int_eq(all.count, 0);
}
END_TEST

/* A balancer that finds somebody listening would send requests to one that still opens its database. */
START_TEST(nobody_can_connect_to_a_port_before_somebody_accepts)
{
    for (int sockets = 1; sockets <= 2; sockets++) {
        ck_assert_int_eq(opens("127.0.0.1:0", sockets), 0);
        const struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons((uint16_t)port_of(&all.at[0])) };
        const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(connect(client, (const struct sockaddr *)&at, sizeof at), -1);
        ck_assert_int_eq(errno, ECONNREFUSED);
        close(client);
        listeners_close(&all);
    }
}
END_TEST

START_TEST(those_of_another_name_are_added_and_named_apart)
{
    char names[128];
    ck_assert_int_eq(opens("127.0.0.1:0", 1), 0);
    ck_assert_int_eq(listeners_open(&all, "admin", "127.0.0.2:0", 1, why, sizeof why), 0);
    ck_assert_int_eq(all.count, 2);
    listeners_write(&all, "admin", names, sizeof names);
    ck_assert_str_eq(names, all.at[1].address);
    listeners_write(&all, "none", names, sizeof names);
    ck_assert_str_eq(names, "");
    listeners_close(&all);
}
END_TEST

START_TEST(a_port_alone_is_reached_at_the_loopback)
{
    ck_assert_int_eq(opens(":0", 1), 0);
    ck_assert_int_eq(all.count, 1);
    ck_assert(strncmp(all.at[0].own_address, "http://127.0.0.1:", 17) == 0);
    listeners_close(&all);
}
END_TEST

/* From now on this process finds these names, and no others. */
static bool names_are(const char *test, const char *hosts)
{
    char folder[] = "/tmp/listener-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/hosts", folder);
    if (!mount_or_skip(test, folder, "size=64k"))
        return false;
    FILE *const f = fopen(file, "w");
    fputs(hosts, f);
    fclose(f);
    ck_assert_int_eq(mount(file, "/etc/hosts", "none", MS_BIND, NULL), 0);
    return true;
}

START_TEST(a_name_is_every_address_that_it_has_once_and_at_the_same_port)
{
    if (!names_are(__func__, "127.0.0.1 two.example\n127.0.0.2 two.example\n127.0.0.1 two.example\n"
                             "192.0.2.1 two.example\n"))
        return;
    ck_assert_msg(opens("two.example:0", 2) == 0, "%s", why);
    ck_assert_int_eq(all.count, 2);          /* that which this machine does not have is left out */
    ck_assert_int_eq(port_of(&all.at[0]), port_of(&all.at[1]));
    ck_assert_ptr_nonnull(strstr(all.at[0].address, "127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(all.at[1].address, "127.0.0.2:"));
    listeners_close(&all);
}
END_TEST

START_TEST(a_name_may_have_addresses_of_both_versions)
{
    if (!has_ipv6()) {
        skipped(__func__, NEEDS_IPV6);
        return;
    }
    if (!names_are(__func__, "127.0.0.1 two.example\n::1 two.example\n"))
        return;
    ck_assert_msg(opens("two.example:0", 2) == 0, "%s", why);
    ck_assert_int_eq(all.count, 2);
    ck_assert_int_eq(port_of(&all.at[0]), port_of(&all.at[1]));
    ck_assert(strstr(all.at[0].address, "[::1]") != NULL || strstr(all.at[1].address, "[::1]") != NULL);
    listeners_close(&all);
}
END_TEST

START_TEST(every_address_of_ipv4_and_of_ipv6_may_stand_beside_each_other)
{
    char list[64];
    if (!has_ipv6()) {
        skipped(__func__, NEEDS_IPV6);
        return;
    }
    ck_assert_int_eq(opens("0.0.0.0:0", 2), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(listen(all.at[0].sockets[i], 8), 0);
    snprintf(list, sizeof list, "[::]:%d", port_of(&all.at[0]));
    ck_assert_msg(opens(list, 2) == 0, "%s", why);
    listeners_close(&all);
}
END_TEST

START_TEST(when_one_cannot_be_opened_none_of_its_list_is_and_the_others_stay)
{
    char list[256], path[] = "/tmp/listener-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(file, sizeof file, "%s/s", path);
    ck_assert_int_eq(opens("127.0.0.1:0", 1), 0);
    ck_assert_int_eq(listen(all.at[0].sockets[0], 1), 0);
    snprintf(list, sizeof list, "unix:%s, 127.0.0.2:0, 127.0.0.1:%d", file, port_of(&all.at[0]));
    ck_assert_int_eq(opens(list, 2), UV_EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(why, "is in use by another program (choose another)"));
    ck_assert(strncmp(why, "cannot listen on 127.0.0.1:", 27) == 0);
    ck_assert_int_eq(access(file, F_OK), -1);
    ck_assert_int_eq(all.count, 1);
    listeners_close(&all);
    rmdir(path);
}
END_TEST

START_TEST(an_address_that_this_machine_does_not_have_is_said)
{
    ck_assert_int_eq(opens("192.0.2.1:0", 1), UV_EADDRNOTAVAIL);
    ck_assert_str_eq(why, "cannot listen on 192.0.2.1:0: address not available");
    ck_assert_int_eq(all.count, 0);
    listeners_close(&all);
}
END_TEST

START_TEST(who_leaves_takes_its_files_away_and_accepts_those_who_have_come)
{
    char list[128], path[] = "/tmp/listener-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(path));
    snprintf(file, sizeof file, "%s/s", path);
    snprintf(list, sizeof list, "unix:%s,mode=0600", file);
    ck_assert_msg(opens(list, 2) == 0, "%s", why);
    struct sockaddr_un a;
    const socklen_t length = socket_file_address(file, &a);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(client, (const struct sockaddr *)&a, length), 0);
    listeners_leave(&all);
    ck_assert_int_eq(access(file, F_OK), -1);
    const int accepted = accept4(all.at[0].sockets[1], NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(accepted, 0);
    listeners_stop(&all);
    ck_assert_int_eq(all.at[0].sockets[0], -1);
    ck_assert_str_eq(all.at[0].name, "public");
    listeners_close(&all);
    close(accepted);
    close(client);
    rmdir(path);
}
END_TEST

Suite *listener_suite(void)
{
    Suite *s = suite_create("listener");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_address_is_a_listener_with_a_socket_for_each_that_accepts);
    tcase_add_test(t, nobody_can_connect_to_a_port_before_somebody_accepts);
    tcase_add_test(t, those_of_another_name_are_added_and_named_apart);
    tcase_add_test(t, a_port_alone_is_reached_at_the_loopback);
    tcase_add_test(t, a_name_is_every_address_that_it_has_once_and_at_the_same_port);
    tcase_add_test(t, a_name_may_have_addresses_of_both_versions);
    tcase_add_test(t, every_address_of_ipv4_and_of_ipv6_may_stand_beside_each_other);
    tcase_add_test(t, when_one_cannot_be_opened_none_of_its_list_is_and_the_others_stay);
    tcase_add_test(t, an_address_that_this_machine_does_not_have_is_said);
    tcase_add_test(t, who_leaves_takes_its_files_away_and_accepts_those_who_have_come);
    suite_add_tcase(s, t);
    return s;
}
