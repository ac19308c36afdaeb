/* test_router.c - which route a path finds. */
#include "server/http/router.h"

#include <llhttp.h>
#include <stdio.h>

#include "tests/unit/suites.h"

static bool yes(void) { return true; }
static bool no(void)  { return false; }

static const route ROUTES_HERE[] = {
    { "GET", "/" },          { "GET", "/users" },   { "GET", "/users/:id" }, { "POST", "/users/:name/posts" },
    { "GET", "/users/new" }, { "GET", "/files/*" }, { "PUT", "/users/:id" }, { "GET", "/files/list" },
    { "GET", "/a/b/c" },     { "GET", "/a/:x/d" },  { "GET", "/:p/:q/:r/:s" },
    { "GET", "/five/:a/:b/:c/:d/:e" },
    { "GET", "/offered", .there = yes }, { "GET", "/withheld", .there = no }, { "PUT", "/offered", .there = no },
};

static int method_of(const char *name)
{
#define NAMED(number, method, string)       \
    if (strcmp(name, #string) == 0)         \
        return number;
    HTTP_METHOD_MAP(NAMED)
#undef NAMED
    ck_abort_msg("%s is no method", name);
}

static router *r;
static match   m;

static const char *find(const char *method, const char *path)
{
    router_find(r, method_of(method), text_of(path), &m);
    return m.route ? m.route->path : m.found ? m.allow : "";
}

static void setup(void)    { r = router_new(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE, false); }
static void teardown(void) { router_free(r); }

START_TEST(plain_beats_named_beats_the_rest)
{
    ck_assert_str_eq(find("GET", "/"), "/");
    ck_assert_str_eq(find("GET", "/users"), "/users");
    ck_assert_str_eq(find("GET", "/users/new"), "/users/new");
    ck_assert_str_eq(find("GET", "/users/7"), "/users/:id");
    ck_assert_str_eq(find("GET", "/files/list"), "/files/list");
    ck_assert_str_eq(find("GET", "/files/list/x"), "/files/*");
    ck_assert_str_eq(find("GET", "/files/"), "/files/*");
    ck_assert_str_eq(find("GET", "/a/b/c"), "/a/b/c");
    ck_assert_str_eq(find("GET", "/a/b/d"), "/a/:x/d");      /* the plain way led nowhere */
    ck_assert_str_eq(find("POST", "/users/new/posts"), "/users/:name/posts");
    ck_assert_str_eq(find("GET", "/five/1/2/3/4/5"), "/five/:a/:b/:c/:d/:e");
}
END_TEST

START_TEST(what_no_route_names_is_not_found)
{
    static const char *const NONE[] = { "/user", "/users/", "/files", "/a", "/a/b", "//", "", "*", "users",
                                        "/1/2/3/4/5", "/1//3/4", "/five/1/2//4/5", "/five/1/2/3/4" };
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        ck_assert_str_eq(find("GET", NONE[i]), "");
        ck_assert(!m.found);
    }
}
END_TEST

START_TEST(a_route_that_is_not_there_is_as_unknown_as_any)
{
    ck_assert_str_eq(find("GET", "/offered"), "/offered");
    ck_assert_str_eq(find("PUT", "/offered"), "OPTIONS, GET, HEAD");
    ck_assert_str_eq(find("GET", "/withheld"), "");
    ck_assert(!m.found);
}
END_TEST

START_TEST(other_methods_are_told_which_there_are)
{
    ck_assert_str_eq(find("DELETE", "/users/7"), "OPTIONS, GET, HEAD, PUT");
    ck_assert_str_eq(find("GET", "/users/7/posts"), "OPTIONS, POST");
    ck_assert_str_eq(find("HEAD", "/users/7"), "/users/:id");
    ck_assert_str_eq(find("HEAD", "/users/7/posts"), "OPTIONS, POST");
}
END_TEST

START_TEST(a_path_that_has_a_get_is_readable_by_whatever_method_it_was_found)
{
    static const struct { const char *method, *path; bool readable; } CASES[] = {
        { "GET", "/users/7", true }, { "PUT", "/users/7", true }, { "DELETE", "/users/7", true },
        { "POST", "/users/7/posts", false }, { "GET", "/users/7/posts", false }, { "GET", "/nowhere", false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        find(CASES[i].method, CASES[i].path);
        ck_assert_msg(m.readable == CASES[i].readable, "%s %s", CASES[i].method, CASES[i].path);
    }
}
END_TEST

START_TEST(each_of_very_many_plain_paths_finds_its_own_route)
{
    enum { MANY = 300 };
    static char  paths[MANY][40];
    static route routes[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof paths[i], "/%.*s%d/of-many", i % 17, "a-long-beginning-", i);
        routes[i] = (route){ "GET", paths[i] };
    }
    router *many = router_new(routes, MANY, false);
    for (int i = 0; i < MANY; i++) {
        const text path = text_of(paths[i]);
        router_find(many, HTTP_GET, path, &m);
        ck_assert_ptr_eq(m.route, &routes[i]);
        router_find(many, HTTP_GET, (text){ path.at, path.length - 1 }, &m);
        ck_assert(!m.found);
    }
    router_free(many);
}
END_TEST

START_TEST(what_has_no_route_is_labelled_by_its_method_alone)
{
    ck_assert_str_eq(find("GET", "/nothing"), "");
    ck_assert_str_eq(label_name(m.label), "GET unmatched");
    find("HEAD", "/nothing/else");
    ck_assert_str_eq(label_name(m.label), "GET unmatched");
    find("DELETE", "/users");
    ck_assert_str_eq(label_name(m.label), "DELETE unmatched");
    find("POST", "*");
    ck_assert_str_eq(label_name(m.label), "POST unmatched");
    find("PROPFIND", "/");
    ck_assert_int_eq(m.label, 0);
    find("SOURCE", "/");
    ck_assert_int_eq(m.label, 0);
    find("GET", "/users/7");
    ck_assert_str_eq(label_name(m.label), "GET /users/:id");
}
END_TEST

Suite *router_suite(void)
{
    Suite *s = suite_create("router");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, plain_beats_named_beats_the_rest);
    tcase_add_test(t, what_no_route_names_is_not_found);
    tcase_add_test(t, a_route_that_is_not_there_is_as_unknown_as_any);
    tcase_add_test(t, other_methods_are_told_which_there_are);
    tcase_add_test(t, a_path_that_has_a_get_is_readable_by_whatever_method_it_was_found);
    tcase_add_test(t, each_of_very_many_plain_paths_finds_its_own_route);
    tcase_add_test(t, what_has_no_route_is_labelled_by_its_method_alone);
    suite_add_tcase(s, t);
    return s;
}
