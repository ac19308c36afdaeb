-- boards.sql - the tables of the routes in handlers/boards/, and their rows, for SQLite and PostgreSQL alike.
--
-- They are those of TechEmpower's benchmark and HttpArena's, by the same names and with as many rows; but what is random there
-- is made by arithmetic, so that both databases have the same. A database is created with them, and --init-db adds them to
-- one that an earlier tenk has created. WORLD_ROWS and ITEM_ROWS are replaced by numbers (schema.h).

create table world (
    id           integer primary key,
    randomnumber integer not null
) TYPES_KEPT;

create table fortune (
    id           integer primary key,
    message      text not null
) TYPES_KEPT;

-- HttpArena's. There is no index on price: to look for one is to read the table.
create table items (
    id           integer primary key,
    name         text not null,
    category     text not null,
    price        integer not null,
    quantity     integer not null,
    active       TRUTH not null,
    tags         DOCUMENT not null,
    rating_score integer not null,
    rating_count integer not null
) TYPES_KEPT;

insert into world (id, randomnumber)
with recursive
ids(id) as (
    select 1
    union all
    select id + 1 from ids where id < WORLD_ROWS
)
select id, id * 7919 % 10000 + 1 from ids;

insert into fortune (id, message) values
    (1, 'fortune: No such file or directory'),
    (2, 'A computer scientist is someone who fixes things that aren''t broken.'),
    (3, 'After enough decimal places, nobody gives a damn.'),
    (4, 'A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1'),
    (5, 'A computer program does what you tell it to do, not what you want it to do.'),
    (6, 'Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen'),
    (7, 'Any program that runs right is obsolete.'),
    (8, 'A list is only as strong as its weakest link. — Donald Knuth'),
    (9, 'Feature: A bug with seniority.'),
    (10, 'Computers make very fast, very accurate mistakes.'),
    (11, '<script>alert("This should not be displayed in a browser alert box.");</script>'),
    (12, 'フレームワークのベンチマーク');

insert into items (id, name, category, price, quantity, active, tags, rating_score, rating_count)
with recursive
ids(id) as (
    select 1
    union all
    select id + 1 from ids where id < ITEM_ROWS
),
categories(k, text) as (
    values (0, 'electronics'), (1, 'tools'), (2, 'books'), (3, 'office'), (4, 'garden'), (5, 'toys'), (6, 'sports')
),
things(k, text) as (
    values (0, 'Lamp'), (1, 'Kettle'), (2, 'Ladder'), (3, 'Compass'), (4, 'Basket'), (5, 'Clock'), (6, 'Bench'), (7, 'Lantern'),
        (8, 'Chisel'), (9, 'Atlas'), (10, 'Drum')
),
labels(k, text) as (
    values (0, '["new"]'), (1, '["sale", "light"]'), (2, '["durable", "handmade", "new"]'), (3, '["popular"]'),
        (4, '["compact", "recycled", "sale", "limited"]')
)
select id,
       things.text || ' ' || id,
       categories.text,
       id * 7919 % 500 + 1,
       id * 9973 % 1000 + 1,
       id % 3 = 0,
       cast(labels.text as DOCUMENT),
       id * 31 % 50 + 1,
       id * 389 % 500 + 1
from ids
left join categories on categories.k = id * 5 % 7
left join things on things.k = id * 3 % 11
left join labels on labels.k = id % 5
order by id;
