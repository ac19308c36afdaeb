-- outbox.sql - what was published, for SQLite and PostgreSQL alike; see db/outbox.h, and schema.sql for the words in capitals.
--
-- A row is written in the transaction that it tells of. The newest one is never deleted, so ids grow for ever.

create table outbox (
    id         GENERATED_KEY,
    topic      text not null,
    event      text not null,
    data       text not null,
    created_at WHOLE_NUMBER not null,
    key        text,                            -- its sender's own, or null: a topic has each once
    indexed    TRUTH not null default true      -- whether outbox_of_topic has it
) TYPES_KEPT;

-- Topics come in any order, so what this index takes of a row costs more than the row, which goes to the end of the table.
create index outbox_of_topic on outbox (topic, id) where indexed;
create unique index outbox_of_key on outbox (topic, key) where key is not null;
