/* failing_disk.h - a disk that fails when a test says so: system calls that stand before those of the C library.
 *
 *     disk_fail(DISK_SYNC, UV_EIO);           from now on; 0 to end it
 *     disk_fail_once(DISK_SYNC, UV_EIO);      the next one alone
 *     int n = disk_calls(DISK_SYNC);          how often it was called so far
 *     disk_fail_to_close(fd, UV_ENOSPC);      for good: only the kernel's filter stands before close for all libraries */
#ifndef TESTS_FAILING_DISK_H
#define TESTS_FAILING_DISK_H

typedef enum disk_call { DISK_SYNC, DISK_SYNC_FOLDER, DISK_WRITE, DISK_READ_ONLY, DISK_CALLS } disk_call;

void disk_fail(disk_call call, int err);     /* DISK_READ_ONLY: writes fail with EROFS, and statvfs says so */
void disk_fail_once(disk_call call, int err);
int  disk_calls(disk_call call);
void disk_fail_to_close(int fd, int err);    /* in this thread, and in those that begin later; it stays open */

#endif
