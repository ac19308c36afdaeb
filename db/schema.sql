-- schema.sql - the tables, for SQLite and PostgreSQL alike.
--
-- GENERATED_KEY is the one word that differs, and is replaced before it runs: a 64-bit integer
-- primary key, given by the database unless the insert names one. Times are seconds since 1970.

create table users (
    id         GENERATED_KEY,
    name       text not null,
    email      text not null,
    created_at bigint not null
);

create table posts (
    id         GENERATED_KEY,
    user_id    bigint not null references users (id),
    title      text not null,
    body       text not null,                   -- Markdown
    created_at bigint not null
);

-- A user's posts in order: by this index alone, without sorting.
create index posts_of_user on posts (user_id, id);

-- One row, written last: whoever sees it knows that all the rest is there, and that it is ours.
create table tenk_schema (
    version integer not null
);
