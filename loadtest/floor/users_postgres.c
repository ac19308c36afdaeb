/* users_postgres.c - the floor below /users/ID on PostgreSQL.
 *
 *   users_postgres PORT CONNINFO
 *
 * Its two queries leave in one write with those of the turn, and their answers come in few reads. */
#include "floor.h"
#include "postgres.h"
#include "users.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 1024 * 1024 };

static PGresult *user; /* of the request at the head, until its posts come */
static char room[FLOOR_HEAD + BODY];

void floor_answer(client *c, const char *path)
{
    const int64_t id = (int64_t)htobe64((uint64_t)atoll(path + strlen("/users/")));
    postgres_send("user", 1, (const char *[]){ (const char *)&id }, (int[]){ 8 });
    postgres_send("posts", 1, (const char *[]){ (const char *)&id }, (int[]){ 8 });
    postgres_expect(c);
    c->waiting++;
}

static void read_row(const PGresult *r, int row, cell columns[4])
{
    for (int i = 0; i < 4; i++) {
        const char *value = PQgetvalue(r, row, i);
        uint64_t big_endian;
        uint32_t small;
        switch (PQftype(r, i)) {
        case INT8:
            memcpy(&big_endian, value, sizeof big_endian);
            columns[i] = (cell){ .integer = (int64_t)be64toh(big_endian) };
            break;
        case INT4:
            memcpy(&small, value, sizeof small);
            columns[i] = (cell){ .integer = (int32_t)be32toh(small) };
            break;
        default: columns[i] = (cell){ .text = value, .length = (size_t)PQgetlength(r, row, i) };
        }
    }
}

static void answer_with(client *c, const PGresult *posts)
{
    char *const body = room + FLOOR_HEAD, *p = body;
    cell columns[4];
    if (PQntuples(user) != 1)
        floor_die("there is no such user");
    read_row(user, 0, columns);
    p = put_user(p, columns);
    for (int i = 0; i < PQntuples(posts); i++) {
        read_row(posts, i, columns);
        p = put_post(p, columns, i);
    }
    p = put_end(p);
    floor_send(c, "application/json", body, (size_t)(p - body));
}

static bool on_result(void *client, PGresult *r)
{
    postgres_must(PQresultStatus(r) == PGRES_TUPLES_OK);
    if (!user) {
        user = r;
        return false;
    }
    answer_with(client, r);
    PQclear(user);
    PQclear(r);
    user = NULL;
    return true;
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("users_postgres PORT CONNINFO");
    postgres_open(argv[2]);
    postgres_prepare("user", USER_BY_ID, 1, (Oid[]){ INT8 });
    postgres_prepare("posts", POSTS_BY_USER, 1, (Oid[]){ INT8 });
    postgres_run(atoi(argv[1]), on_result, NULL);
}
