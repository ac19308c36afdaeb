-- seed.sql - the rows that every new database starts with, for SQLite and PostgreSQL alike.
--
-- Each statement that has $1 and $2 makes the rows of the users with those ids and of all between,
-- so that 10,000 users can be made in several steps. Nothing is random: names, texts and times come
-- from lists, chosen by arithmetic on the id, and both databases make the same bytes.

-- A hundred given names and a hundred family names: each of 10,000 users has a pair of their own.
insert into users (id, name, email, created_at)
with recursive
ids(id, u) as (
    select cast($1 as bigint), cast($1 as bigint) - 1
    union all
    select id + 1, u + 1 from ids where id < cast($2 as bigint)
),
given(k, name, mail) as (
    values
        (0, 'Ada', 'ada'), (1, 'Alan', 'alan'), (2, 'Barbara', 'barbara'),
        (3, 'Bjarne', 'bjarne'), (4, 'Brian', 'brian'), (5, 'Claude', 'claude'),
        (6, 'Dennis', 'dennis'), (7, 'Donald', 'donald'), (8, 'Edsger', 'edsger'),
        (9, 'Frances', 'frances'), (10, 'Grace', 'grace'), (11, 'Hedy', 'hedy'),
        (12, 'Ivan', 'ivan'), (13, 'Jean', 'jean'), (14, 'Joan', 'joan'),
        (15, 'Karen', 'karen'), (16, 'Ken', 'ken'), (17, 'Leslie', 'leslie'),
        (18, 'Linus', 'linus'), (19, 'Margaret', 'margaret'), (20, 'Niklaus', 'niklaus'),
        (21, 'Radia', 'radia'), (22, 'Robert', 'robert'), (23, 'Shafi', 'shafi'),
        (24, 'Sophie', 'sophie'), (25, 'Tim', 'tim'), (26, 'Tony', 'tony'),
        (27, 'Vint', 'vint'), (28, 'Whitfield', 'whitfield'), (29, 'Yukihiro', 'yukihiro'),
        (30, 'Amara', 'amara'), (31, 'Anouk', 'anouk'), (32, 'Aoife', 'aoife'),
        (33, 'Arjun', 'arjun'), (34, 'Astrid', 'astrid'), (35, 'Ayumi', 'ayumi'),
        (36, 'Beatriz', 'beatriz'), (37, 'Carlos', 'carlos'), (38, 'Chiara', 'chiara'),
        (39, 'Chloé', 'chloe'), (40, 'Dagmar', 'dagmar'), (41, 'Daria', 'daria'),
        (42, 'Elif', 'elif'), (43, 'Emeka', 'emeka'), (44, 'Esra', 'esra'),
        (45, 'Farid', 'farid'), (46, 'Fatima', 'fatima'), (47, 'Femi', 'femi'),
        (48, 'Finn', 'finn'), (49, 'Gael', 'gael'), (50, 'Gita', 'gita'),
        (51, 'Goran', 'goran'), (52, 'Hana', 'hana'), (53, 'Hiroshi', 'hiroshi'),
        (54, 'Ines', 'ines'), (55, 'Ingrid', 'ingrid'), (56, 'Isabel', 'isabel'),
        (57, 'Jamal', 'jamal'), (58, 'Javier', 'javier'), (59, 'Jonas', 'jonas'),
        (60, 'Jürgen', 'jurgen'), (61, 'Kaia', 'kaia'), (62, 'Kenji', 'kenji'),
        (63, 'Kofi', 'kofi'), (64, 'Lars', 'lars'), (65, 'Layla', 'layla'),
        (66, 'Leif', 'leif'), (67, 'Lucía', 'lucia'), (68, 'Magda', 'magda'),
        (69, 'Malik', 'malik'), (70, 'Marek', 'marek'), (71, 'Mei', 'mei'),
        (72, 'Mira', 'mira'), (73, 'Nadia', 'nadia'), (74, 'Naomi', 'naomi'),
        (75, 'Nikolai', 'nikolai'), (76, 'Nils', 'nils'), (77, 'Noor', 'noor'),
        (78, 'Olga', 'olga'), (79, 'Omar', 'omar'), (80, 'Oskar', 'oskar'),
        (81, 'Paolo', 'paolo'), (82, 'Petra', 'petra'), (83, 'Priya', 'priya'),
        (84, 'Rafael', 'rafael'), (85, 'Renée', 'renee'), (86, 'Rosa', 'rosa'),
        (87, 'Samir', 'samir'), (88, 'Sanna', 'sanna'), (89, 'Sara', 'sara'),
        (90, 'Sigrid', 'sigrid'), (91, 'Søren', 'soren'), (92, 'Tariq', 'tariq'),
        (93, 'Tomasz', 'tomasz'), (94, 'Uma', 'uma'), (95, 'Vera', 'vera'),
        (96, 'Wanda', 'wanda'), (97, 'Yara', 'yara'), (98, 'Yusuf', 'yusuf'),
        (99, 'Zoë', 'zoe')
),
family(k, name, mail) as (
    values
        (0, 'Abara', 'abara'), (1, 'Almeida', 'almeida'), (2, 'Andersson', 'andersson'),
        (3, 'Aydın', 'aydin'), (4, 'Bakker', 'bakker'), (5, 'Banerjee', 'banerjee'),
        (6, 'Barros', 'barros'), (7, 'Bauer', 'bauer'), (8, 'Becker', 'becker'),
        (9, 'Berg', 'berg'), (10, 'Bianchi', 'bianchi'), (11, 'Björk', 'bjork'),
        (12, 'Brandt', 'brandt'), (13, 'Castro', 'castro'), (14, 'Chen', 'chen'),
        (15, 'Costa', 'costa'), (16, 'Cruz', 'cruz'), (17, 'Dahl', 'dahl'),
        (18, 'Danso', 'danso'), (19, 'Das', 'das'), (20, 'Diaz', 'diaz'),
        (21, 'Dubois', 'dubois'), (22, 'Eriksen', 'eriksen'), (23, 'Evans', 'evans'),
        (24, 'Farah', 'farah'), (25, 'Ferrari', 'ferrari'), (26, 'Fischer', 'fischer'),
        (27, 'Flores', 'flores'), (28, 'Fontaine', 'fontaine'), (29, 'Fujita', 'fujita'),
        (30, 'García', 'garcia'), (31, 'Gomes', 'gomes'), (32, 'Greco', 'greco'),
        (33, 'Gupta', 'gupta'), (34, 'Haas', 'haas'), (35, 'Haddad', 'haddad'),
        (36, 'Hansen', 'hansen'), (37, 'Hayashi', 'hayashi'), (38, 'Hoffmann', 'hoffmann'),
        (39, 'Horváth', 'horvath'), (40, 'Ito', 'ito'), (41, 'Ivanova', 'ivanova'),
        (42, 'Jansen', 'jansen'), (43, 'Jensen', 'jensen'), (44, 'Johansson', 'johansson'),
        (45, 'Joshi', 'joshi'), (46, 'Kaplan', 'kaplan'), (47, 'Kaya', 'kaya'),
        (48, 'Keller', 'keller'), (49, 'Khan', 'khan'), (50, 'Kim', 'kim'),
        (51, 'Klein', 'klein'), (52, 'Kovač', 'kovac'), (53, 'Kowalski', 'kowalski'),
        (54, 'Kumar', 'kumar'), (55, 'Larsen', 'larsen'), (56, 'Laurent', 'laurent'),
        (57, 'Lehmann', 'lehmann'), (58, 'Li', 'li'), (59, 'Lindqvist', 'lindqvist'),
        (60, 'Lopez', 'lopez'), (61, 'Martin', 'martin'), (62, 'Mbeki', 'mbeki'),
        (63, 'Mehta', 'mehta'), (64, 'Meyer', 'meyer'), (65, 'Mori', 'mori'),
        (66, 'Moreau', 'moreau'), (67, 'Müller', 'muller'), (68, 'Nakamura', 'nakamura'),
        (69, 'Ndiaye', 'ndiaye'), (70, 'Nguyen', 'nguyen'), (71, 'Novak', 'novak'),
        (72, 'Nowak', 'nowak'), (73, 'Okafor', 'okafor'), (74, 'Olsen', 'olsen'),
        (75, 'Ortiz', 'ortiz'), (76, 'Osei', 'osei'), (77, 'Park', 'park'),
        (78, 'Patel', 'patel'), (79, 'Petrov', 'petrov'), (80, 'Popescu', 'popescu'),
        (81, 'Ramos', 'ramos'), (82, 'Rao', 'rao'), (83, 'Reyes', 'reyes'),
        (84, 'Richter', 'richter'), (85, 'Rossi', 'rossi'), (86, 'Sato', 'sato'),
        (87, 'Schmidt', 'schmidt'), (88, 'Silva', 'silva'), (89, 'Singh', 'singh'),
        (90, 'Smith', 'smith'), (91, 'Suzuki', 'suzuki'), (92, 'Tanaka', 'tanaka'),
        (93, 'Torres', 'torres'), (94, 'Vargas', 'vargas'), (95, 'Virtanen', 'virtanen'),
        (96, 'Wagner', 'wagner'), (97, 'Weber', 'weber'), (98, 'Yamada', 'yamada'),
        (99, 'Zhang', 'zhang')
)
select ids.id,
       given.name || ' ' || family.name,
       given.mail || '.' || family.mail || '@example.com',
       1500000000 + u * 9973 + u * u % 8641
from ids
left join given on given.k = u % 100
left join family on family.k = (u / 100 + u * 37) % 100
order by ids.id;

-- Ten posts a user, n being the number of each among all. A body is an opening, two middle parts
-- and an ending; the lists have lengths without a common factor, so that no two posts are alike.
insert into posts (id, user_id, title, body, created_at)
with recursive
ids(id, u) as (
    select cast($1 as bigint), cast($1 as bigint) - 1
    union all
    select id + 1, u + 1 from ids where id < cast($2 as bigint)
),
ten(j) as (
    values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)
),
numbers(n, user_id, u, j) as (
    select u * 10 + j, id, u, j from ids cross join ten
),
topics(k, name) as (
    values
        (0, 'event loops'),
        (1, 'connection pools'),
        (2, 'write-ahead logs'),
        (3, 'prepared statements'),
        (4, 'back-pressure'),
        (5, 'sourdough bread'),
        (6, 'B-trees'),
        (7, 'night trains'),
        (8, 'character encodings'),
        (9, 'hash tables'),
        (10, 'bird migration'),
        (11, 'memory allocators'),
        (12, 'tide tables'),
        (13, 'time zones'),
        (14, 'mechanical clocks'),
        (15, 'coroutines'),
        (16, 'mountain weather'),
        (17, 'typography'),
        (18, 'city maps'),
        (19, 'queueing theory')
),
titles(k, text) as (
    values
        (0, 'What I learned about TOPIC'),
        (1, 'Notes on TOPIC'),
        (2, 'TOPIC: a field guide'),
        (3, 'A week with TOPIC'),
        (4, 'TOPIC, measured twice'),
        (5, 'Why TOPIC & patience go together'),
        (6, 'Questions about TOPIC'),
        (7, 'The quiet side of TOPIC'),
        (8, 'TOPIC for <curious> people'),
        (9, 'In praise of TOPIC'),
        (10, 'Ten years of TOPIC – what stayed true'),
        (11, 'How not to think about TOPIC'),
        (12, 'Small mistakes with TOPIC')
),
openings(k, text) as (
    values
        (0, '# Why this matters

Everybody has an opinion about **TOPIC**, and hardly anybody has a *measurement*. I kept a notebook for a month.

'),
        (1, '## The short version

If you only remember one thing about TOPIC, let it be this: **start small**, write down what you expect, and only then look.

'),
        (2, 'It began on a rainy Sunday in Malmö, with strong coffee and a book about *TOPIC* that I had meant to read for years.

'),
        (3, '## A confession

For a long time I took TOPIC for granted. Then something broke at three in the morning, and I had to **learn it properly**.

'),
        (4, 'My colleague Zoë says that TOPIC is "just bookkeeping". She is right, and that is *exactly* what makes it interesting.

'),
        (5, '### Setting the scene

There are two schools of thought on TOPIC – the careful one & the fast one. This post is an attempt to be **both at once**.

'),
        (6, 'Someone asked me last week to explain _TOPIC_ in plain words. Here is the attempt; corrections are welcome.

')
),
middles(k, text) as (
    values
        (0, 'What helped, in order:

- reading the *original* description, not the summaries
- drawing it on paper
- asking somebody who disagrees

'),
        (1, 'The plan was simple:

1. measure before changing anything
2. change **one** thing
3. measure again, and believe the result

'),
        (2, '```c
for (size_t i = 0; i < count && !done; i++)
    total += weight[i] > 0 ? weight[i] : 0;
```

Note the `<` and the `&&`: swap them, and the last element is never looked at.

'),
        (3, '> Make it work, then make it clear. Most things never need the third step.

That was on a card above the desk of my first teacher, and I did not understand it for *years*.

'),
        (4, 'The rule of thumb is `cost = size × distance`, which is wrong in detail and **useful** every day.

'),
        (5, '- [ ] the expensive part: understanding
- [x] the cheap part: typing
- [x] the forgotten part: telling others

Anything with `if (a < b)` in it deserves a test for `a == b`.

'),
        (6, 'A small table in words: below 10 % nobody notices, at 50 % somebody complains, above 90 % **everything** waits – in Köln, in Kyōto and in São Paulo alike.

'),
        (7, '```sql
select name, count(*) from visits where year >= 2020 group by name;
```

One line, and an afternoon of scripts was gone. I still think of it when TOPIC comes up.

'),
        (8, '#### What surprised me

The obvious improvement made it *slower*. The boring one – doing less – cut the time from 340 µs to 41 µs.

'),
        (9, '> "Is it finished?" – "No, but it is *done*."

An exchange I overheard, and perhaps the best summary of TOPIC there is.

'),
        (10, 'Two things that people mix up: being *early* and being *quick*. Use <time> for the first & a stopwatch for the second.

')
),
endings(k, text) as (
    values
        (0, 'More in the [notes](https://example.com/notes), and thank you for reading.
'),
        (1, 'If you have a better way, write to me: I collect them, and I **do** change my mind.
'),
        (2, 'Next time: the same again, but with numbers – see <https://example.com/next>.
'),
        (3, '---

*Written on a train; all errors are mine.*
'),
        (4, 'That is all. The rest is practice, tea & the occasional naïve question.
'),
        (5, 'The [slides](https://example.com/slides "from the meet-up") have the pictures that I could not draw here.
'),
        (6, 'So: keep what works, `rm` the rest, and go outside. ☀
'),
        (7, 'PS: the comparison `x <> y` in the first version was wrong. Thanks to everybody who noticed!
'),
        (8, '**Update:** three readers measured it themselves, and all three got the same answer. Délicieux.
')
)
select n + 1,
       user_id,
       replace(titles.text, 'TOPIC', topics.name),
       replace(openings.text || one.text || two.text || endings.text, 'TOPIC', topics.name),
       1500000000 + u * 9973 + 86400 + j * 2592000 + n * 7919 % 1296000
from numbers
left join topics on topics.k = (n * 7 + u) % 20
left join titles on titles.k = n % 13
left join openings on openings.k = n % 7
left join middles as one on one.k = n % 11
left join middles as two on two.k = (n % 11 + 1 + n / 11 % 10) % 11
left join endings on endings.k = n % 9
order by n;

insert into tenk_schema (version) values (1);
