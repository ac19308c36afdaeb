/* prepared_statement.c - see prepared_statement.h. */
#include "prepared_statement.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { OID_INT8 = 20, OID_TEXT = 25 };

static const uint64_t UNKNOWN = 2000000;     /* nanoseconds */

static unsigned types_of(int n, const value parameters[])
{
    unsigned types = 0;
    for (int i = 0; i < n; i++)
        types |= (unsigned)parameters[i].type << (2 * i);
    return types;
}

pg_statement *pg_plan_of(pg_statements *all, const statement *s, int n, const value parameters[])
{
    const unsigned types = types_of(n, parameters);
    pg_statement **bucket = &all->buckets[((uintptr_t)s >> 4) % (sizeof all->buckets / sizeof *all->buckets)];
    for (pg_statement *plan = *bucket; plan; plan = plan->next)
        if (plan->statement == s && plan->types == types && plan->n == n)
            return plan;

    pg_statement *plan = mem_alloc(sizeof *plan);
    *plan = (pg_statement){ .statement = s, .types = types, .n = n, .index = all->count++, .usual = UNKNOWN,
                       .next = *bucket };
    return *bucket = plan;
}

void pg_plans_done(pg_statements *all)
{
    for (size_t i = 0; i < sizeof all->buckets / sizeof *all->buckets; i++)
        for (pg_statement *plan = all->buckets[i], *next; plan; plan = next) {
            next = plan->next;
            mem_free(plan);
        }
    *all = (pg_statements){ 0 };
}

void pg_oids(const pg_statement *plan, Oid oids[])
{
    static const Oid OIDS[] = { [VALUE_NULL] = 0, [VALUE_INTEGER] = OID_INT8, [VALUE_TEXT] = OID_TEXT };
    for (int i = 0; i < plan->n; i++)
        oids[i] = OIDS[plan->types >> (2 * i) & 3];
}

const char *pg_name_of(const pg_names *names, const pg_statement *plan)
{
    return plan->index < names->size ? names->known[plan->index] : NULL;
}

const char *pg_name_new(pg_names *names, const pg_statement *plan)
{
    enum { MORE = 16 };
    char name[64];
    if (plan->index >= names->size) {
        const int size = plan->index + MORE;
        names->known = mem_resize(names->known, (size_t)size * sizeof *names->known);
        memset(names->known + names->size, 0, (size_t)(size - names->size) * sizeof *names->known);
        names->size = size;
    }
    snprintf(name, sizeof name, "%u_%s", ++names->made, plan->statement->name);
    return names->known[plan->index] = mem_copy(name);
}

void pg_name_forget(pg_names *names, const pg_statement *plan)
{
    if (!pg_name_of(names, plan))
        return;
    mem_free(names->known[plan->index]);
    names->known[plan->index] = NULL;
}

void pg_names_forget(pg_names *names)
{
    for (int i = 0; i < names->size; i++) {
        mem_free(names->known[i]);
        names->known[i] = NULL;
    }
}

void pg_names_done(pg_names *names)
{
    pg_names_forget(names);
    mem_free(names->known);
    *names = (pg_names){ 0 };
}
