/* users_postgres.c - the floor below /users/ID on PostgreSQL.
 *
 *   users_postgres PORT CONNINFO
 *
 * One connection in pipeline mode, prepared statements, binary parameters and results, and one Sync
 * for all the queries of a turn of the loop: they leave in one write and their answers come in few
 * reads. */
#include "floor.h"
#include "users.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

enum { INT8 = 20, INT4 = 23, QUEUE = 64 * 1024, BODY = 1024 * 1024 };

static PGconn *database;
static client *queue[QUEUE]; /* whose answer is next; NULL where a Sync is */
static unsigned head, tail;
static bool unsynced;
static PGresult *user; /* of the request at the head, until its posts come */
static char room[FLOOR_HEAD + BODY];

static void must(bool fine)
{
    if (!fine)
        floor_die(PQerrorMessage(database));
}

static void send_query(const char *statement, int64_t id)
{
    const int64_t big_endian = (int64_t)htobe64((uint64_t)id);
    const char *const values[] = { (const char *)&big_endian };
    must(PQsendQueryPrepared(database, statement, 1, values, (int[]){ 8 }, (int[]){ 1 }, 1));
}

void floor_answer(client *c, const char *path)
{
    const int64_t id = atoll(path + strlen("/users/"));
    send_query("user", id);
    send_query("posts", id);
    queue[tail++ % QUEUE] = c;
    c->waiting++;
    unsynced = true;
}

static void on_turn_ended(void)
{
    if (!unsynced)
        return;
    must(PQpipelineSync(database));
    queue[tail++ % QUEUE] = NULL;
    unsynced = false;
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

static void on_result(PGresult *r)
{
    client *c = queue[head % QUEUE];
    if (!c) {
        must(PQresultStatus(r) == PGRES_PIPELINE_SYNC);
        head++;
    } else {
        must(PQresultStatus(r) == PGRES_TUPLES_OK);
        if (!user) {
            user = r;
            return;
        }
        answer_with(c, r);
        PQclear(user);
        user = NULL;
        head++;
    }
    PQclear(r);
}

static void on_readable(source *s)
{
    (void)s;
    must(PQconsumeInput(database));
    while (head != tail && !PQisBusy(database)) {
        PGresult *r = PQgetResult(database);
        if (r) /* NULL ends the results of one query */
            on_result(r);
    }
}

static void prepare(const char *name, const char *sql)
{
    PGresult *r = PQprepare(database, name, sql, 1, (Oid[]){ INT8 });
    must(PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("users_postgres PORT CONNINFO");
    database = PQconnectdb(argv[2]);
    must(PQstatus(database) == CONNECTION_OK);
    prepare("user", USER_BY_ID);
    prepare("posts", POSTS_BY_USER);
    must(PQsetnonblocking(database, 1) == 0 && PQenterPipelineMode(database));
    floor_watch(&(source){ .fd = PQsocket(database), .ready = on_readable });
    floor_run(atoi(argv[1]), on_turn_ended, NULL);
}
