/* postgres.c - the private PostgreSQL cluster of a run, seeded by the server's own --init-db. */
#include "postgres.h"

#include "run.h"
#include "tests/scenarios/scenarios.h"

#include <stdio.h>
#include <stdlib.h>

static cluster *shared;

cluster *postgres(void)
{
    if (shared)
        return shared;
    char output[4096], url[256];
    shared = cluster_new();
    ck_assert_msg(shared != NULL, "there is no PostgreSQL to test with");
    snprintf(url, sizeof url, "DATABASE_URL=%s", cluster_url(shared));
    const int code = tenk_run(output, sizeof output, url, "--init-db", NULL);
    ck_assert_msg(code == 0, "--init-db ended with %d: %s", code, output);
    return shared;
}

const char *postgres_url(void) { return cluster_url(postgres()); }

void run_cluster_end(void)
{
    if (shared)
        cluster_free(shared);
}

int sql_int(const char *sql) { return atoi(cluster_ask(postgres(), sql)); }

double until_200(const char *path)
{
    const double before = granted_s();
    ck_assert_msg(eventually(15, get(path).status == 200), "%s does not recover", path);
    return granted_s() - before;
}

static void with_cluster(void) { postgres(); }
static void without(void) {}

static void running_cluster(void)
{
    cluster_resume(postgres());
    cluster_start(postgres());
}

TCase *postgres_theme(Suite *s, const char *name)
{
    TCase *t = theme(s, name, NULL);
    tcase_add_unchecked_fixture(t, with_cluster, without);
    tcase_add_checked_fixture(t, running_cluster,
                              NULL); /* whatever the test before has left behind */
    return t;
}
