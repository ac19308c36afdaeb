/* boards.h - what the routes have in common by which public benchmarks compare servers.
 *
 * A file is a route. What each answers is TechEmpower's specification: "Framework Tests Overview", at
 * https://github.com/TechEmpower/FrameworkBenchmarks/wiki. Its /plaintext and /json are plain routes of the site. Or it is
 * HttpArena's, at https://www.http-arena.com/docs/test-profiles, whose table is items: those of item.h and dataset.h, and
 * /baseline11, /pipeline, /upload and /delay. Its static files are the site's /static/, its fortunes are /fortunes.
 *
 * All of them are there only if [boards] enabled says so (site_has_boards). */
#ifndef BOARDS_H
#define BOARDS_H

#include "handlers/handlers.h"

/* ?NAME=N of those that say how many rows they want: from 1 to BOARD_MOST. What is more is BOARD_MOST; what is less,
 * or no number, or not there, is 1. */
enum { BOARD_MOST = 500 };
int board_count(request *req, const char *name);

/* For a handler to return, when its query has failed with err: says how to get tables that are not there. */
int board_failed(request *req, int err);

#endif
