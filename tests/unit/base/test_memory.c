/* test_memory.c - allocation never returns NULL; pools hand out, reuse, and end with their thread. */
#include "server/base/memory.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

START_TEST(allocated_bytes_are_zero)
{
    for (int i = 0; i < 10; i++) {
        char *p = mem_alloc(1000);
        for (int j = 0; j < 1000; j++)
            ck_assert_int_eq(p[j], 0);
        memset(p, 0xff, 1000);
        mem_free(p);
    }
    mem_free(NULL);
}
END_TEST

START_TEST(a_resized_block_keeps_what_it_held)
{
    char *p = mem_copy("tenk");
    p = mem_resize(p, 100000);
    ck_assert_str_eq(p, "tenk");
    mem_free(p);
}
END_TEST

START_TEST(an_impossible_size_aborts) { mem_free(mem_alloc(SIZE_MAX / 2)); }
END_TEST

START_TEST(an_impossible_resize_aborts) { mem_free(mem_resize(NULL, SIZE_MAX / 2)); }
END_TEST

struct odd { char bytes[41]; };

START_TEST(objects_of_a_pool_do_not_overlap_and_are_aligned)
{
    enum { MANY = 5000 };
    static struct odd *objects[MANY];
    pool p = POOL(struct odd);
    for (int i = 0; i < MANY; i++) {
        objects[i] = pool_get(&p);
        ck_assert_uint_eq((uintptr_t)objects[i] % 8, 0);
        memset(objects[i], i % 251, sizeof *objects[i]);
    }
    for (int i = 0; i < MANY; i++) {
        struct odd expected;
        memset(&expected, i % 251, sizeof expected);
        ck_assert_mem_eq(objects[i], &expected, sizeof expected);
        pool_put(&p, objects[i]);
    }
    pool_done(&p);
}
END_TEST

START_TEST(the_object_put_last_comes_first)
{
    pool p = POOL(struct odd);
    void *a = pool_get(&p), *b = pool_get(&p);
    pool_put(&p, a);
    pool_put(&p, b);
    void *c = pool_get(&p), *d = pool_get(&p);
    if (!RESERVE_NOTHING) {
        ck_assert_ptr_eq(c, b);
        ck_assert_ptr_eq(d, a);
    }
    pool_put(&p, c);
    pool_put(&p, d);
    pool_done(&p);
}
END_TEST

START_TEST(a_pool_works_again_after_its_end)
{
    pool p = POOL(struct odd);
    pool_put(&p, pool_get(&p));
    pool_done(&p);
    struct odd *again = pool_get(&p);
    memset(again, 1, sizeof *again);
    pool_put(&p, again);
    pool_done(&p);
}
END_TEST

struct huge { char bytes[200000]; };

START_TEST(an_object_may_be_larger_than_a_slab)
{
    pool p = POOL(struct huge);
    struct huge *a = pool_get(&p), *b = pool_get(&p);
    memset(a, 1, sizeof *a);
    memset(b, 2, sizeof *b);
    ck_assert_int_eq(a->bytes[sizeof *a - 1], 1);
    pool_put(&p, a);
    pool_put(&p, b);
    pool_done(&p);
}
END_TEST

static _Thread_local pool odds = POOL(struct odd), huges = POOL(struct huge);

static void use(pool *p)
{
    void *a = pool_get(p), *b = pool_get(p);
    memset(a, 1, p->size);
    memset(b, 2, p->size);
    pool_put(p, a);
    pool_put(p, b);
}

START_TEST(all_pools_of_a_thread_end_at_once_and_work_again)
{
    for (int i = 0; i < 3; i++) {
        use(&odds);
        use(&huges);
        ck_assert(RESERVE_NOTHING || (odds.slabs && huges.slabs));
        pool_done_all();
        ck_assert(!odds.slabs && !huges.slabs);
    }
}
END_TEST

START_TEST(a_pool_that_ended_by_itself_is_not_ended_again)
{
    pool first = POOL(struct odd), last = POOL(struct odd);
    use(&first);
    use(&odds);
    use(&last);
    pool_done(&odds);                        /* in the middle of the thread's, then at their ends */
    pool_done(&last);
    pool_done(&first);
    pool_done(&first);
    pool_done_all();
    use(&odds);
    pool_done_all();
    ck_assert_ptr_null(odds.slabs);
}
END_TEST

static void *come_and_go(void *arg)
{
    use(&odds);
    use(&huges);
    pool_done_all();
    *(bool *)arg = !odds.slabs && !huges.slabs;
    return NULL;
}

START_TEST(a_thread_ends_its_own_pools_and_nobody_elses)
{
    void *ours = pool_get(&odds);
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        bool gone = false;
        ck_assert_int_eq(pthread_create(&thread, NULL, come_and_go, &gone), 0);
        pthread_join(thread, NULL);
        ck_assert(gone);
    }
    memset(ours, 1, sizeof(struct odd));
    pool_put(&odds, ours);
    ck_assert(RESERVE_NOTHING || odds.slabs);
    pool_done_all();
}
END_TEST

START_TEST(a_few_objects_take_little_and_many_take_few_slabs)
{
    enum { MANY = 20000 };
    static void *objects[MANY];
    int slabs = 0;
    for (int i = 0; i < MANY; i++) {
        char *before = odds.end;
        objects[i] = pool_get(&odds);
        slabs += odds.end != before;
        ck_assert(i > 10 || odds.slab <= 1024);
    }
    ck_assert_int_le(slabs, 25);             /* most of them of 64 KiB */
    for (int i = 0; i < MANY; i++)
        pool_put(&odds, objects[i]);
    pool_done_all();
}
END_TEST

enum { BURST = 20000 };
static void *burst[BURST];

static void get_all(int from, int to)
{
    for (int i = from; i < to; i++)
        memset(burst[i] = pool_get(&odds), 1, sizeof(struct odd));
}

static void put_all(int from, int to)
{
    for (int i = from; i < to; i++)
        pool_put(&odds, burst[i]);
}

static void tick(uint64_t ms)
{
    static uint64_t now = 1000;
    for (const uint64_t until = now + ms; now < until; now += 50)
        reserve_tick(now);
}

/* Slabs in use that are given back when they are empty. */
static int large_slabs(void) { return odds.large; }

START_TEST(a_slab_whose_objects_have_all_come_back_is_given_back)
{
    reserve_begin();
    get_all(0, BURST);
    const int most = large_slabs();
    ck_assert_int_ge(most, 10);
    put_all(0, BURST);
    tick(5 * RESERVE_PERIOD);
    ck_assert_int_eq(large_slabs(), 0);
    ck_assert(!reserve_is_watched());
    get_all(0, BURST);                       /* and all of it once more */
    ck_assert_int_ge(large_slabs(), most - 1);
    put_all(0, BURST);
    reserve_end();
    pool_done_all();
}
END_TEST

START_TEST(a_slab_with_an_object_in_use_stays)
{
    enum { EACH = 1000 };
    reserve_begin();
    get_all(0, BURST);
    for (int i = 0; i < BURST; i++)
        if (i % EACH)
            pool_put(&odds, burst[i]);
    tick(4 * RESERVE_PERIOD);
    for (int i = 0; i < BURST; i += EACH) {
        ck_assert_int_eq(((char *)burst[i])[sizeof(struct odd) - 1], 1);
        pool_put(&odds, burst[i]);
    }
    pool_put(&odds, pool_get(&odds));        /* this alone would have been enough to notice */
    tick(4 * RESERVE_PERIOD);
    ck_assert_int_eq(large_slabs(), 0);
    reserve_end();
    pool_done_all();
}
END_TEST

/* Long after a burst, the few objects that are in use share few slabs, wherever they were at first. */
START_TEST(objects_in_use_gather_in_few_slabs)
{
    enum { FEW = 64 };
    reserve_begin();
    get_all(0, BURST);
    for (int i = 0; i < BURST; i++)          /* so that those next taken are of all slabs */
        pool_put(&odds, burst[(i * 7919L) % BURST]);
    for (int i = 0; i < 100; i++) {
        get_all(0, FEW);
        put_all(0, FEW);
        tick(RESERVE_PERIOD / 10);
    }
    ck_assert_int_le(large_slabs(), 1);
    reserve_end();
    pool_done_all();
}
END_TEST

static int by_address(const void *a, const void *b)
{
    void *const *one = a, *const *other = b;
    return (*one > *other) - (*one < *other);
}

START_TEST(a_burst_that_comes_again_finds_the_same_memory)
{
    static void *first[BURST];
    reserve_begin();
    for (int i = 0; i < 10; i++) {
        get_all(0, BURST);
        qsort(burst, BURST, sizeof *burst, by_address);
        if (i == 0)
            memcpy(first, burst, sizeof first);
        ck_assert_mem_eq(burst, first, sizeof first);
        put_all(0, BURST);
        tick(RESERVE_PERIOD - 100);
    }
    reserve_end();
    pool_done_all();
}
END_TEST

START_TEST(random_objects_come_and_go_while_ticks_pass)
{
    srand(1);
    reserve_begin();
    memset(burst, 0, sizeof burst);
    for (int i = 0; i < 400000; i++) {
        const int many = 100 + (i / 40000 % 2) * (BURST - 100), k = rand() % many;
        if (burst[k]) {
            int mark;
            memcpy(&mark, burst[k], sizeof mark);
            ck_assert_int_eq(mark, k);
            pool_put(&odds, burst[k]);
            burst[k] = NULL;
        } else {
            memcpy(burst[k] = pool_get(&odds), &k, sizeof k);
        }
        if (i % 100 == 0)
            tick(100);
    }
    for (int k = 0; k < BURST; k++)
        if (burst[k])
            pool_put(&odds, burst[k]);
    pool_put(&odds, pool_get(&odds));
    tick(4 * RESERVE_PERIOD);
    ck_assert_int_eq(large_slabs(), 0);
    reserve_end();
    pool_done_all();
}
END_TEST

Suite *memory_suite(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("all");
    tcase_add_test(t, allocated_bytes_are_zero);
    tcase_add_test(t, a_resized_block_keeps_what_it_held);
    if (!RESERVE_NOTHING) {                 /* the tools have their own answer to such a size */
        tcase_add_test_raise_signal(t, an_impossible_size_aborts, SIGABRT);
        tcase_add_test_raise_signal(t, an_impossible_resize_aborts, SIGABRT);
    }
    tcase_add_test(t, objects_of_a_pool_do_not_overlap_and_are_aligned);
    tcase_add_test(t, the_object_put_last_comes_first);
    tcase_add_test(t, a_pool_works_again_after_its_end);
    tcase_add_test(t, an_object_may_be_larger_than_a_slab);
    tcase_add_test(t, all_pools_of_a_thread_end_at_once_and_work_again);
    tcase_add_test(t, a_pool_that_ended_by_itself_is_not_ended_again);
    tcase_add_test(t, a_thread_ends_its_own_pools_and_nobody_elses);
    if (!RESERVE_NOTHING)
        tcase_add_test(t, a_few_objects_take_little_and_many_take_few_slabs);
    if (!RESERVE_NOTHING) {                 /* which has no slabs */
        tcase_add_test(t, a_slab_whose_objects_have_all_come_back_is_given_back);
        tcase_add_test(t, a_slab_with_an_object_in_use_stays);
        tcase_add_test(t, objects_in_use_gather_in_few_slabs);
        tcase_add_test(t, a_burst_that_comes_again_finds_the_same_memory);
        tcase_add_test(t, random_objects_come_and_go_while_ticks_pass);
    }
    suite_add_tcase(s, t);
    return s;
}
