/* prepared_statement.c - see prepared_statement.h. */
#include "prepared_statement.h"
#include "server/base/log.h"
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

pg_prepared *pg_prepared_of(pg_prepared_table *all, const statement *s, int n, const value parameters[])
{
    const unsigned types = types_of(n, parameters);
    pg_prepared **bucket = &all->buckets[((uintptr_t)s >> 4) % (sizeof all->buckets / sizeof *all->buckets)];
    for (pg_prepared *prepared = *bucket; prepared; prepared = prepared->next)
        if (prepared->statement == s && prepared->types == types && prepared->n == n)
            return prepared;

    pg_prepared *prepared = mem_alloc(sizeof *prepared);
    *prepared = (pg_prepared){ .statement = s, .types = types, .n = n, .index = all->count++, .usual = UNKNOWN,
                       .next = *bucket };
    return *bucket = prepared;
}

void pg_prepared_table_done(pg_prepared_table *all)
{
    for (size_t i = 0; i < sizeof all->buckets / sizeof *all->buckets; i++)
        for (pg_prepared *prepared = all->buckets[i], *next; prepared; prepared = next) {
            next = prepared->next;
            mem_free(prepared);
        }
    *all = (pg_prepared_table){ 0 };
}

const char *pg_prepared_name(const pg_prepared_names *names, const pg_prepared *prepared)
{
    return prepared->index < names->size ? names->known[prepared->index] : NULL;
}

const char *pg_prepared_name_new(pg_prepared_names *names, const pg_prepared *prepared)
{
    enum { MORE = 16 };
    char name[64];
    if (prepared->index >= names->size) {
        const int size = prepared->index + MORE;
        names->known = mem_resize(names->known, (size_t)size * sizeof *names->known);
        memset(names->known + names->size, 0, (size_t)(size - names->size) * sizeof *names->known);
        names->size = size;
    }
    snprintf(name, sizeof name, "%u_%s", ++names->made, prepared->statement->name);
    return names->known[prepared->index] = mem_copy(name);
}

void pg_prepared_name_forget(pg_prepared_names *names, const pg_prepared *prepared)
{
    if (!pg_prepared_name(names, prepared))
        return;
    mem_free(names->known[prepared->index]);
    names->known[prepared->index] = NULL;
}

void pg_prepared_names_forget(pg_prepared_names *names)
{
    for (int i = 0; i < names->size; i++) {
        mem_free(names->known[i]);
        names->known[i] = NULL;
    }
}

void pg_prepared_names_done(pg_prepared_names *names)
{
    pg_prepared_names_forget(names);
    mem_free(names->known);
    *names = (pg_prepared_names){ 0 };
}

void pg_prepared_types(const pg_prepared *prepared, Oid oids[])
{
    static const Oid OIDS[] = { [VALUE_NULL] = 0, [VALUE_INTEGER] = OID_INT8, [VALUE_TEXT] = OID_TEXT };
    for (int i = 0; i < prepared->n; i++)
        oids[i] = OIDS[prepared->types >> (2 * i) & 3];
}

static const int BINARY[MAX_PARAMETERS] = { 1, 1, 1, 1, 1, 1, 1, 1 };

int pg_prepared_send_parse(const pg_prepared *prepared, PGconn *pg, pg_prepared_names *names)
{
    Oid oids[MAX_PARAMETERS];
    pg_prepared_types(prepared, oids);
    return PQsendPrepare(pg, pg_prepared_name_new(names, prepared), prepared->statement->sql, prepared->n, oids);
}

int pg_prepared_send(const pg_prepared *prepared, PGconn *pg, const char *name, const pg_parameters *with, const char *comment)
{
    Oid oids[MAX_PARAMETERS];
    const char *const sql = prepared->statement->sql;
    if (name)
        return PQsendQueryPrepared(pg, name, prepared->n, with->values, with->lengths, BINARY, 0);
    pg_prepared_types(prepared, oids);
    if (!comment)
        return PQsendQueryParams(pg, sql, prepared->n, oids, with->values, with->lengths, BINARY, 0);
    const size_t length = strlen(sql), more = strlen(comment) + 1;
    char *const both = mem_resize(NULL, length + more);
    memcpy(mempcpy(both, sql, length), comment, more);
    const int sent = PQsendQueryParams(pg, both, prepared->n, oids, with->values, with->lengths, BINARY, 0);
    mem_free(both);
    return sent;
}

/* The server reads no message longer than 1 GB, and takes a longer one for the end of the connection. */
bool pg_parameters_fit(const statement *s, int n, const value parameters[])
{
    enum { LARGEST = 1000000000 };
    size_t left = LARGEST;
    for (int i = 0; i < n; i++) {
        const size_t length = parameters[i].type == VALUE_TEXT ? parameters[i].text.length : 0;
        if (length > left) {
            log_error("postgres: %s: its parameters are longer than %d bytes", s->name, LARGEST);
            return false;
        }
        left -= length;
    }
    return true;
}

void pg_parameters_copy(pg_parameters *to, int n, const value parameters[], arena *a)
{
    for (int i = 0; i < n; i++) {
        const value *v = &parameters[i];
        switch (v->type) {
        case VALUE_INTEGER:
            to->integers[i] = (int64_t)__builtin_bswap64((uint64_t)v->integer);
            to->values[i] = (const char *)&to->integers[i];
            to->lengths[i] = sizeof to->integers[i];
            break;
        case VALUE_TEXT:
            to->values[i] = arena_copy(a, v->text);
            to->lengths[i] = (int)v->text.length;
            break;
        default:
            to->values[i] = NULL;
            to->lengths[i] = 0;
        }
    }
}
