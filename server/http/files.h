/* files.h - files of one folder, sent as they are.
 *
 * Nothing outside the folder is reachable, by any spelling or symbolic link: the kernel resolves the
 * path beneath it (openat2, RESOLVE_BENEATH). Opening and reading happen on the thread pool. */
#ifndef HTTP_FILES_H
#define HTTP_FILES_H

#include "request.h"
#include "server/async/task.h"

/* Opens a folder; returns its descriptor, or a negative error. Blocks: for the start. */
int files_open(const char *root);

/* Answers with the file at path, which is decoded: type by its name, length, Last-Modified, ETag, and
 * 304 or 412 by the client's conditions (conditions.h). E_NOT_FOUND when there is no such file. */
async int respond_file(request *req, int root, text path);

#endif
