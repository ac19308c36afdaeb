/* files.h - files of one folder, sent as they are.
 *
 * Beside app.js there may be app.js.br and app.js.gz, the same, compressed: who asks for app.js gets the one of them that
 * he likes best (Accept-Encoding), unless it is older than app.js, of which something else may have become. Nothing is
 * compressed, or kept, here.
 *
 * Nothing outside the folder is reachable, by any spelling or symbolic link: the kernel resolves the
 * path beneath it (openat2, RESOLVE_BENEATH). Opening and reading happen on the thread pool. */
#ifndef HTTP_FILES_H
#define HTTP_FILES_H

#include "request.h"
#include "server/async/task.h"

/* Opens a folder; returns its descriptor, or a negative error. Blocks: for the start. */
int files_open(const char *root);

/* Answers with the file at path, which is decoded: type by its name, length, Last-Modified, an ETag for each coding, and
 * 304 or 412 by the client's conditions (conditions.h). E_NOT_FOUND when there is no such file. */
async int respond_file(request *req, int root, text path);

#endif
