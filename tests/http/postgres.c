/* postgres.c - the private PostgreSQL cluster of a run, seeded by the server's own --init-db. */
#include "postgres.h"

#include "run.h"
#include "server.h"

#include <check.h>
#include <stdio.h>

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
