/* test_stack.c - fenced, reused, refused. */
#include "server/async/context/stack.h"
#include "server/base/memory.h"
#include "server/base/reserve.h"
#include "tests/unit/suites.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#ifdef MARK_STACKS
enum { STACK_MARKS = 1 };
#else
enum { STACK_MARKS = 0 };
#endif

static const size_t SIZE = 64 * 1024;

static stack got(void)
{
    stack s;
    ck_assert_int_eq(stack_get(&s, SIZE), 0);
    return s;
}

static bool is_mapped(char *page)
{
    unsigned char resident;
    return mincore(page, 1, &resident) == 0;
}

START_TEST(all_of_a_stack_can_be_written)
{
    stack s = got();
    ck_assert_uint_eq(s.size, SIZE);
    memset(s.base, 1, s.size);
    stack_put(&s);
    stack_trim();
}
END_TEST

START_TEST(a_build_that_marks_stacks_knows_how_much_was_used)
{
    stack s = got();
    const size_t before = stack_used(&s);
    s.base[SIZE - 5000] = 1;
    ck_assert_uint_eq(before, 0);
    ck_assert_uint_eq(stack_used(&s), STACK_MARKS ? 5000 : 0);
    ck_assert(stack_guards(&s, s.base - 1) && !stack_guards(&s, s.base));
    ck_assert(stack_guards(&s, s.base - 16 * 1024));
    ck_assert(!stack_guards(&s, s.base - (1 << 20)));
    ck_assert(is_mapped(s.base));
    stack_put(&s);
    stack_trim();
    ck_assert(!is_mapped(s.base));
}
END_TEST

START_TEST(one_byte_below_faults)
{
    stack s = got();
    ((char volatile *)s.base)[-1] = 1;
}
END_TEST

START_TEST(a_large_frame_does_not_step_over_the_guard)
{
    got();                                   /* what is below the first one is nobody's anyway */
    stack s = got();
    ((char volatile *)s.base)[-16 * 1024] = 1;
}
END_TEST

START_TEST(one_of_another_size_goes_with_its_guard)
{
    stack usual = got(), large;
    ck_assert_int_eq(stack_get(&large, 4 * SIZE), 0);
    char *const low = large.base - 16 * 1024;
    ck_assert(is_mapped(low));
    stack_put(&large);
    ck_assert(!is_mapped(low));
    stack_put(&usual);
    stack_trim();
}
END_TEST

START_TEST(the_stack_put_last_is_used_first)
{
    stack a = got(), b = got();
    stack_put(&a);
    stack_put(&b);
    stack c = got();
    if (!RESERVE_NOTHING)
        ck_assert_ptr_eq(c.base, b.base);
    stack_put(&c);
    stack other;
    ck_assert_int_eq(stack_get(&other, 2 * SIZE), 0);        /* not one of another size */
    memset(other.base, 1, other.size);
    stack_put(&other);
    stack_trim();
}
END_TEST

START_TEST(many_more_than_are_kept_come_and_go)
{
    enum { MANY = 3000 };
    static stack all[MANY];
    const int many = RESERVE_NOTHING ? 300 : MANY;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < many; i++) {
            all[i] = got();
            all[i].base[SIZE - 1] = 1;
        }
        for (int i = 0; i < many; i++)
            stack_put(&all[i]);
    }
    stack_trim();
}
END_TEST

/* Is the page that a stack begins with in memory? */
static bool is_warm(const stack *s)
{
    unsigned char in_core;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    ck_assert_int_eq(mincore((void *)(((uintptr_t)s->base + SIZE - 1) & ~(page - 1)), page, &in_core), 0);
    return in_core & 1;
}

enum { BURST = 3000 };
static stack burst[BURST];

static void get_all(int from)
{
    for (int i = from; i < BURST; i++) {
        burst[i] = got();
        burst[i].base[SIZE - 1] = 1;
    }
}

static void put_all(int from)
{
    for (int i = from; i < BURST; i++)
        stack_put(&burst[i]);
}

static int warm_ones(void)
{
    int warm = 0;
    for (int i = 0; i < BURST; i++) {
        burst[i] = got();
        warm += is_warm(&burst[i]);
    }
    put_all(0);
    return warm;
}

static void tick(uint64_t ms)
{
    static uint64_t now = 1000;
    for (const uint64_t until = now + ms; now < until; now += 50)
        reserve_tick(now);
}

START_TEST(after_a_burst_the_next_stack_is_warm)
{
    reserve_begin();
    get_all(0);
    put_all(0);
    for (int i = 0; i < 1000; i++) {         /* one request after the other */
        stack s = got();
        ck_assert(is_warm(&s));
        stack_put(&s);
    }
    reserve_end();
    stack_trim();
}
END_TEST

START_TEST(stacks_that_have_long_been_idle_lose_their_pages)
{
    reserve_begin();
    get_all(0);
    put_all(0);
    tick(RESERVE_PERIOD / 2);
    ck_assert_int_eq(warm_ones(), BURST);
    tick(4 * RESERVE_PERIOD);
    ck_assert(!reserve_is_watched());
    ck_assert_int_le(warm_ones(), RESERVE_LEAST / 4096);
    get_all(0);                              /* they can be used, and their guards have stayed */
    for (int i = 0; i < BURST; i++) {
        int fds[2];
        ck_assert_int_eq(pipe(fds), 0);
        ck_assert_int_eq(read(fds[0], burst[i].base - 1, write(fds[1], "", 1) == 1), -1);
        ck_assert_int_eq(errno, EFAULT);
        close(fds[0]);
        close(fds[1]);
    }
    put_all(0);
    reserve_end();
    stack_trim();
}
END_TEST

START_TEST(a_stack_in_use_keeps_its_pages_and_so_do_those_that_are_used_again)
{
    enum { IN_USE = 1000, AGAIN = 500 };
    reserve_begin();
    get_all(0);
    for (int i = 0; i < IN_USE; i++)
        burst[i].base[SIZE - 1] = (char)(i % 100 + 1);
    put_all(IN_USE);
    for (int i = 0; i < 20; i++) {
        tick(RESERVE_PERIOD / 4);
        get_all(BURST - AGAIN);
        put_all(BURST - AGAIN);
    }
    for (int i = 0; i < IN_USE; i++)
        ck_assert_int_eq(burst[i].base[SIZE - 1], i % 100 + 1);
    int warm = 0;
    for (int i = IN_USE; i < BURST; i++) {
        burst[i] = got();
        warm += is_warm(&burst[i]);
    }
    ck_assert_int_eq(warm, AGAIN);
    put_all(0);
    reserve_end();
    stack_trim();
}
END_TEST

START_TEST(without_ticks_few_stacks_stay_warm)
{
    get_all(0);
    put_all(0);
    ck_assert_int_le(warm_ones(), RESERVE_LEAST / 4096);
    stack_trim();
}
END_TEST

START_TEST(a_kernel_that_refuses_is_an_error)
{
    stack s;
    struct rlimit none = { 4096, RLIM_INFINITY };
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
    const int err = stack_get(&s, SIZE);
    none.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_AS, &none);
    ck_assert_int_eq(err, UV_ENOMEM);
}
END_TEST

Suite *stack_suite(void)
{
    Suite *s = suite_create("stack");
    TCase *t = tcase_create("all");
    tcase_add_test(t, all_of_a_stack_can_be_written);
    tcase_add_test(t, a_build_that_marks_stacks_knows_how_much_was_used);
    tcase_add_test(t, one_of_another_size_goes_with_its_guard);
    tcase_add_test(t, the_stack_put_last_is_used_first);
    tcase_add_test(t, many_more_than_are_kept_come_and_go);
    if (!RESERVE_NOTHING) {                 /* the tools catch the fault, and need memory themselves */
        tcase_add_test_raise_signal(t, one_byte_below_faults, SIGSEGV);
        tcase_add_test_raise_signal(t, a_large_frame_does_not_step_over_the_guard, SIGSEGV);
        if (!STACK_MARKS) {                  /* which touches all pages */
            tcase_add_test(t, after_a_burst_the_next_stack_is_warm);
            tcase_add_test(t, stacks_that_have_long_been_idle_lose_their_pages);
            tcase_add_test(t, a_stack_in_use_keeps_its_pages_and_so_do_those_that_are_used_again);
            tcase_add_test(t, without_ticks_few_stacks_stay_warm);
        }
        tcase_add_test(t, a_kernel_that_refuses_is_an_error);
    }
    suite_add_tcase(s, t);
    return s;
}
