/* letter.c - see letter.h.
 *
 * The letters are files that are on no disk: wherever this program runs they are the same, and it leaves nothing behind. */
#include "letter.h"
#include "handlers/markdown.h"
#include "server/base/buffer.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static const char GOOD[] =
    "To: 42\n\n"
    "Dear **{name}**,\n\n"
    "you have written *{posts} posts*, and people read them.\n\n"
    "- Whom this is to, and these words, were in a **file**.\n"
    "- Your name, and how much you have written, the **database** knew.\n"
    "- Another **server** said by HTTP: `{answer}`\n\n"
    "All of it was Markdown, and was made HTML in a **thread of the pool**.\n";
static const char UNKNOWN_WORD[] = "To: 42\n\nDear **{nickname}**,\n\n{answer}\n";

enum { FAILS_NOTHING, FAILS_FILE, FAILS_QUERY, FAILS_FETCH, FAILS_RENDER };

const choices LETTER_FAILS = {
    .key = "fail", .label = "What fails",
    .of = {
        [FAILS_NOTHING] = { "nothing", "nothing" },
        [FAILS_FILE]    = { "file", "the file: it is not there" },
        [FAILS_QUERY]   = { "query", "the query: no such table" },
        [FAILS_FETCH]   = { "fetch", "the server: nobody listens" },
        [FAILS_RENDER]  = { "render", "the rendering: an unknown word" },
    },
};

static const statement FIND = {
    .name = "pattern_reader", .reads = true, .columns = "ti",
    .sql  = "select name, (select count(*) from posts where user_id = users.id) from users where id = $1",
};
static const statement FIND_NOWHERE = {
    .name = "pattern_reader_nowhere", .reads = true, .columns = "ti",
    .sql  = "select name, posts from readers_of_letters where id = $1",
};

static struct { pthread_once_t once; char good[32], unknown_word[32]; } files = { .once = PTHREAD_ONCE_INIT };

/* It is there as long as the process is. On an error the path leads nowhere, and reading fails. */
static void letter_make_file(char path[32], const char *words)
{
    const int fd = memfd_create("letter", MFD_CLOEXEC);
    const size_t length = strlen(words);
    snprintf(path, 32, "/proc/self/fd/%d", fd >= 0 && write(fd, words, length) == (ssize_t)length ? fd : -1);
}

static void letter_make_files(void)
{
    letter_make_file(files.good, GOOD);
    letter_make_file(files.unknown_word, UNKNOWN_WORD);
}

void letter_init(letter *l, run *r, arena *a, text *out)
{
    pthread_once(&files.once, letter_make_files);
    const int fails = r->chosen;
    *l = (letter){
        .r = r, .arena = a, .out = out,
        .file = fails == FAILS_FILE ? "letters/no-such-letter.md" : fails == FAILS_RENDER ? files.unknown_word : files.good,
        .find = fails == FAILS_QUERY ? &FIND_NOWHERE : &FIND,
        .server = fails == FAILS_FETCH ? "http://127.0.0.1:1/"               /* by this port nobody serves */
                                       : arena_printf(a, "http://%s/sleep?ms=20", site_address()),
    };
}

letter *letter_new(run *r)
{
    letter *l = run_alloc(r, sizeof *l);
    letter_init(l, r, request_arena(r->req), &r->output);
    return l;
}

int64_t letter_to(const letter *l)
{
    int64_t id = 0;
    for (size_t i = strlen("To: "); i < l->words.length && isdigit((unsigned char)l->words.at[i]); i++)
        id = id * 10 + (l->words.at[i] - '0');
    return id;
}

static void letter_write_line(buffer *b, text t)
{
    const char *end = memchr(t.at, '\n', t.length);
    buffer_text(b, (text){ t.at, end ? (size_t)(end - t.at) : t.length });
}

/* What stands for {name}; false: nothing does. */
static bool letter_fill_in(buffer *b, const letter *l, text name)
{
    if (text_equal(name, TEXT("name")))
        buffer_text(b, rows_text(&l->reader, 0, 0));
    else if (text_equal(name, TEXT("posts")))
        buffer_int(b, rows_int(&l->reader, 0, 1));
    else if (text_equal(name, TEXT("answer")))
        letter_write_line(b, l->answer.body);
    else
        return false;
    return true;
}

static int letter_fill(buffer *b, const letter *l, text words)
{
    while (words.length > 0) {
        const char *open = memchr(words.at, '{', words.length);
        const char *close = open ? memchr(open, '}', (size_t)(words.at + words.length - open)) : NULL;
        const size_t plain = close ? (size_t)(open - words.at) : words.length;
        buffer_text(b, (text){ words.at, plain });
        if (!close)
            break;
        if (!letter_fill_in(b, l, (text){ open + 1, (size_t)(close - open - 1) }))
            return UV_EINVAL;
        const size_t used = (size_t)(close + 1 - words.at);
        words = (text){ words.at + used, words.length - used };
    }
    return 0;
}

int letter_render(void *arg)
{
    letter *l = arg;
    if (l->reader.count == 0)
        return E_NOT_FOUND;
    if (l->answer.status != 200)
        return UV_EPROTO;

    buffer filled, html;
    const char *begin = memmem(l->words.at, l->words.length, "\n\n", 2);     /* behind the line that says to whom */
    const size_t head = begin ? (size_t)(begin - l->words.at) : 0;
    buffer_init(&filled, l->arena);
    const int err = letter_fill(&filled, l, (text){ l->words.at + head, l->words.length - head });
    if (err)
        return err;
    buffer_init(&html, l->arena);
    markdown_html(&html, buffer_all(&filled));
    l->page = buffer_all(&html);
    return 0;
}

static const char *letter_why(int err)
{
    return err == DB_EQUERY ? "the database said no" : err == E_NOT_FOUND ? "there is no such user" : uv_strerror(err);
}

int letter_apologize(letter *l, int err)
{
    if (err == UV_ECANCELED)
        return err;
    const char *step = !l->words.at          ? "The letter could not be read"
                     : l->reader.count == 0  ? "The database could not be asked"
                     : l->answer.status == 0 ? "The other server could not be asked"
                                             : "The letter could not be made HTML";
    buffer b;
    buffer_init(&b, l->arena);
    buffer_text(&b, TEXT("<p>There is no letter today. "));
    buffer_printf(&b, "%s: ", step);
    buffer_html(&b, text_of(letter_why(err)));
    buffer_text(&b, TEXT(".</p>\n"));
    l->page = buffer_all(&b);
    return letter_send(l);
}

int letter_send(letter *l)
{
    *l->out = l->page;
    return 0;
}
