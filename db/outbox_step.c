/* outbox_step.c - see outbox.h: the steps of transactions that publish. */
#include "outbox.h"

#include <string.h>
#include <time.h>

static const statement
    ADD = { .name = "outbox_add", .tells = OUTBOX_CHANNEL, .columns = "i",
            .sql = "insert into outbox (topic, event, data, created_at) values ($1, $2, $3, $4) returning id" },
    ADD_WITH_KEY = { .name = "outbox_add_with_key", .tells = OUTBOX_CHANNEL,
            .sql = "insert into outbox (topic, event, data, created_at, indexed)"
                   " select $1, $2, $3 || current_setting('tenk.key', true) || $4, $5, false"
                   " where current_setting('tenk.key', true) <> ''",
            /* A row without data is ignored: a select, by which it would not be there, takes twice the time. */
            .sqlite = "insert or ignore into outbox (topic, event, data, created_at, indexed)"
                      " values ($1, $2, $3 || nullif(current_setting('tenk.key', true), '') || $4, $5, false)" },
    ADD_ONCE = { .name = "outbox_add_once", .tells = OUTBOX_CHANNEL,
            .sql = "insert into outbox (topic, event, data, created_at, key) values ($1, $2, $3, $4, $5)"
                   " on conflict do nothing" },
    ID = { "outbox_id", "select id from outbox where topic = $1 and key = $2", true, "i" };

db_step outbox_step(value room[OUTBOX_VALUES], text topic, text event, text data)
{
    const value values[] = { string(topic), string(event), string(data), integer((int64_t)time(NULL)) };
    memcpy(room, values, sizeof values);
    return (db_step){ &ADD, sizeof values / sizeof *values, room, NULL };
}

db_step outbox_step_with_key(value room[OUTBOX_VALUES], text topic, text event, text before, text after)
{
    const value values[] = { string(topic), string(event), string(before), string(after), integer((int64_t)time(NULL)) };
    memcpy(room, values, sizeof values);
    return (db_step){ &ADD_WITH_KEY, sizeof values / sizeof *values, room, NULL };
}

db_step outbox_step_once(value room[OUTBOX_VALUES], text topic, text event, text data, text key)
{
    const value values[] = { string(topic), string(event), string(data), integer((int64_t)time(NULL)), string(key) };
    memcpy(room, values, sizeof values);
    return (db_step){ &ADD_ONCE, sizeof values / sizeof *values, room, NULL };
}

db_step outbox_step_id(value room[OUTBOX_VALUES], text topic, text key)
{
    const value values[] = { string(topic), string(key) };
    memcpy(room, values, sizeof values);
    return (db_step){ &ID, sizeof values / sizeof *values, room, NULL };
}
