/* failover.c - another server takes over while posts are written: none that was acknowledged is lost, and soon
 * after it takes writes, they are taken here. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/load.h"
#include "tests/scenarios/support/proxy.h"
#include "tests/support/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cluster *primary, *standby;

static void make_pair(void)
{
    char url[256], output[4096];
    primary = cluster_new_primary();
    ck_assert_msg(primary != NULL, "there is no PostgreSQL to test with");
    snprintf(url, sizeof url, "DATABASE_URL=%s", cluster_url(primary));
    ck_assert_int_eq(tenk_run(output, sizeof output, url, "--init-db", NULL), 0);
    standby = cluster_new_standby(primary);
    ck_assert_ptr_nonnull(standby);
}

static void free_pair(void)
{
    cluster_free(standby);
    cluster_free(primary);
}

static void start_before(const char *hosts, const char *attributes)
{
    char url[256];
    snprintf(url, sizeof url, "DATABASE_URL=postgresql://tenk@%s/tenk%s", hosts, attributes);
    server_start("failover", url, NULL);
}

static const char *both(void)
{
    static char hosts[64];
    snprintf(hosts, sizeof hosts, "127.0.0.1:%d,127.0.0.1:%d", cluster_port(primary), cluster_port(standby));
    return hosts;
}

static load *writing(void)
{
    load *l = load_start(2, 4, 1);
    ck_assert(eventually(10, load_writers(l)->good > 50 && load_readers(l)->good > 50));
    return l;
}

/* The sessions of the primary live on, but are refused every write. */
static void demote(void)
{
    cluster_ask(primary, "alter system set default_transaction_read_only = on");
    cluster_ask(primary, "select pg_reload_conf()");
    cluster_wait(primary, "show default_transaction_read_only", "on");
}

static void expect_recovery(load *l)
{
    const double before = granted_s();
    const int good = load_writers(l)->good;
    ck_assert(eventually(15, load_writers(l)->good > good + 20));
    const double took = granted_s() - before;
    ck_assert_msg(took < (run_slowed() ? 6 : 1.5), "20 posts took %.2f s after the promotion", took);
}

static void expect_nothing_lost(load *l)
{
    int acknowledged;
    load_stop(l);
    char *titles = load_acknowledged(l, &acknowledged), *sql = malloc(strlen(titles) + 128);
    sprintf(sql, "select count(distinct title) from posts where title in (%s)", titles);
    const int there = atoi(cluster_ask(standby, sql));
    ck_assert_msg(there == acknowledged, "%d posts were acknowledged, %d are there", acknowledged, there);
    ck_assert_int_eq(atoi(cluster_ask(standby, "select count(*) from (select title from posts where title like 'load %'"
                                               " group by title having count(*) > 1) as twice")), 0);
    ck_assert_int_eq(load_readers(l)->broken + load_writers(l)->broken + load_watchers(l)->broken, 0);
    ck_assert_int_eq(load_readers(l)->other + load_writers(l)->other + load_watchers(l)->other, 0);
    ck_assert_int_eq(load_watchers(l)->unavailable + load_watchers(l)->late, 0);
    free(sql);
    free(titles);
    load_free(l);
    server_stop();
}

START_TEST(a_primary_that_dies_is_followed_by_its_standby)
{
    start_before(both(), "?target_session_attrs=read-write");
    load *l = writing();
    cluster_crash(primary);
    cluster_promote(standby);
    expect_recovery(l);
    expect_nothing_lost(l);
}
END_TEST

/* At most one write a connection finds out, and it is done elsewhere. */
START_TEST(a_primary_that_was_demoted_is_left_though_its_sessions_live)
{
    enum { CONNECTIONS = 4 };
    start_before(both(), "?target_session_attrs=read-write");
    load *l = writing();
    demote();
    cluster_promote(standby);
    expect_recovery(l);
    const int refused = cluster_log_times(primary, "in a read-only transaction");
    ck_assert_msg(refused <= CONNECTIONS, "%d writes were refused", refused);
    expect_nothing_lost(l);
}
END_TEST

START_TEST(a_proxy_that_leads_to_another_server_is_followed)
{
    char host[64];
    snprintf(host, sizeof host, "127.0.0.1:%d", proxy_to(cluster_port(primary)));
    start_before(host, "");
    load *l = writing();
    demote();
    cluster_promote(standby);
    proxy_turn(cluster_port(standby));
    expect_recovery(l);
    expect_nothing_lost(l);
}
END_TEST

Suite *failover_suite(void)
{
    Suite *s = suite_create("failover");
    TCase *t = theme(s, "failover", NULL);
    tcase_set_tags(t, "failover");           /* make test-failover: each makes two servers */
    tcase_add_checked_fixture(t, make_pair, free_pair);
    tcase_add_test(t, a_primary_that_dies_is_followed_by_its_standby);
    tcase_add_test(t, a_primary_that_was_demoted_is_left_though_its_sessions_live);
    tcase_add_test(t, a_proxy_that_leads_to_another_server_is_followed);
    return s;
}
