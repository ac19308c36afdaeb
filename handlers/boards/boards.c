/* boards.c - see boards.h. */
#include "boards.h"
#include "db/db.h"

#include <ctype.h>

int board_count(request *req, const char *name)
{
    const text given = request_query(req, name);
    int n = 0;
    for (size_t i = 0; i < given.length; i++) {
        if (!isdigit((unsigned char)given.at[i]))
            return 1;
        if (n < BOARD_MOST)                  /* else it is more already */
            n = 10 * n + given.at[i] - '0';
    }
    return n < 1 ? 1 : n < BOARD_MOST ? n : BOARD_MOST;
}

/* All else that the database can object to in these statements is that. */
int board_failed(request *req, int err)
{
    if (err != DB_EQUERY)
        return err;
    return respond_problem(req, 500, "The database lacks the tables world, fortune or items, or has others of that name. "
                           "\"tenk --init-db\" adds them to one that tenk has created.");
}
