/* file.h - whole files, read and written, as promises over uv_fs.
 *
 *     text page;
 *     err = await(file_read("posts/42.md", arena, 64 * 1024, &page));
 *
 *   Ownership.  path, content, the arena and *out must outlive the promise; once it has settled, nothing
 *               here touches them. What was read is in the arena.
 *   Cancelling. While it waits for its turn, at once; later when the call that runs on the thread pool has
 *               returned, with UV_ECANCELED. A file that is just being replaced is: that ends with 0.
 *   Bounds.     One executor, "files" (executor.h): so many of each loop are under way, so many wait in order,
 *               and the rest are refused (refusal.h).
 *   Modes.      In a task the promise settles later; in a blocking thread it has already settled, and a
 *               client that has left cancels it between one call and the next (blocking_wait.h).
 *   Errors.     Those of the kernel; UV_EISDIR for a folder, UV_EINVAL for what is no regular file,
 *               UV_EFBIG for one that is larger than it may be. */
#ifndef FILE_H
#define FILE_H

#include "server/async/promise.h"
#include "server/base/arena.h"
#include "server/base/text.h"

#include <stddef.h>

/* Reads all of it, if that is no more than max bytes. */
MUST_AWAIT promise *file_read(const char *path, arena *a, size_t max, text *out);

/* Puts content where path is. A reader meanwhile sees the old file or the new one, and after an
 * error it is the old one: content goes to a new file of the same folder, with the rights of the old one,
 * which takes its place once it is on the disk. 0: that is on the disk, too. Only the last step, by which
 * the folder gets there, can fail after it. A symbolic link is replaced, not followed. */
MUST_AWAIT promise *file_write(const char *path, text content);

/* Of each loop. Before the first use, and before any other thread starts. */
void file_configure(int running, int waiting);

#endif
