/* test_memory_use.c - pages that are in memory are counted, and others are not. */
#include "handlers/gallery/patterns/memory_use.h"
#include "tests/unit/suites.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 10000 };                      /* more than are looked at in one go */

static char  *region;
static size_t page;

static void setup(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    region = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(region, MAP_FAILED);
    madvise(region, PAGES * page, MADV_NOHUGEPAGE);
}

static void touch(size_t which) { region[which * page + 7] = 1; }

START_TEST(what_was_touched_is_in_memory_and_no_more)
{
    ck_assert_uint_eq(memory_resident(region, PAGES * page), 0);
    touch(3);
    touch(5);
    touch(PAGES - 1);
    ck_assert_uint_eq(memory_resident(region, PAGES * page), 3 * page);
    ck_assert_uint_eq(memory_resident(region, 5 * page), page);
    ck_assert_uint_eq(memory_resident(region + 4 * page, page), 0);
    ck_assert_uint_eq(memory_resident(region + 3 * page, 0), 0);
}
END_TEST

START_TEST(a_page_counts_as_a_whole_wherever_the_region_begins)
{
    touch(3);
    ck_assert_uint_eq(memory_resident(region + 3 * page + 100, 1), page);
    ck_assert_uint_eq(memory_resident(region + 2 * page + 100, page), page);     /* its last bytes lie in the next one */
    ck_assert_uint_eq(memory_resident(region + 2 * page + 100, page - 100), 0);
}
END_TEST

START_TEST(what_is_not_mapped_is_not_in_memory)
{
    touch(0);
    munmap(region + page, page);
    ck_assert_uint_eq(memory_resident(region, 2 * page), 0);
}
END_TEST

START_TEST(lines_of_proc_are_read_by_their_whole_name)
{
    const int64_t before = memory_of_process("VmRSS");
    ck_assert_int_gt(before, 0);
    for (size_t i = 0; i < PAGES; i++)
        touch(i);
    ck_assert_int_gt(memory_of_process("VmRSS"), before + (int64_t)(PAGES * page / 1024 / 2));
    ck_assert_int_gt(memory_of_machine("KernelStack"), 0);
    ck_assert_int_eq(memory_of_process("VmRS"), 0);
    ck_assert_int_eq(memory_of_machine("KernelStacks"), 0);
}
END_TEST

Suite *memory_use_suite(void)
{
    Suite *s = suite_create("memory_use");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, what_was_touched_is_in_memory_and_no_more);
    tcase_add_test(t, a_page_counts_as_a_whole_wherever_the_region_begins);
    tcase_add_test(t, what_is_not_mapped_is_not_in_memory);
    tcase_add_test(t, lines_of_proc_are_read_by_their_whole_name);
    suite_add_tcase(s, t);
    return s;
}
