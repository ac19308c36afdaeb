-- schema.sql - the tables, for SQLite and PostgreSQL alike.
--
-- Some words differ, and are replaced before it runs, here, in outbox.sql and in boards.sql. GENERATED_KEY is a 64-bit integer primary key,
-- given by the database unless the insert names one; WHOLE_NUMBER is one of 64 bits, TRUTH is true or false, DOCUMENT is JSON;
-- and where a table takes any value in any column unless it is told not to, TYPES_KEPT tells it. Times are seconds since 1970.

create table users (
    id         GENERATED_KEY,
    name       text not null,
    email      text not null,
    created_at WHOLE_NUMBER not null
) TYPES_KEPT;

create table posts (
    id         GENERATED_KEY,
    user_id    WHOLE_NUMBER not null references users (id),
    title      text not null,
    body       text not null,                   -- Markdown
    created_at WHOLE_NUMBER not null
) TYPES_KEPT;

-- A user's posts in order: by this index alone, without sorting.
create index posts_of_user on posts (user_id, id);

-- One row, written last: whoever sees it knows that all the rest is there, and that it is ours.
create table tenk_schema (
    version integer not null
) TYPES_KEPT;
