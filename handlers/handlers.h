/* handlers.h - every handler of the site, and the table of its routes, which says what each of them answers. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include "server/http/request.h"

handler          home, users, user_page, user_page_sequential, post_page, post_new, import, export_posts, export_user;
handler          requests_slowest, request_one, advisor;
handler          patterns, pattern_page, pattern_source;
handler          patterns, pattern_page;
handler          loop_page, loop_events;
handler          patterns, pattern_page, pattern_source, pattern_loop, letter_post, letter_look;
handler          compare_page, compare_start, compare_database, compare_cpu;
handler          patterns, pattern_page, workloads;
handler          chat_rooms, chat_room_page, chat_say, chat_socket;
handler          board_db, board_queries, board_updates, board_fortunes, board_cached_queries;
handler          board_baseline, board_pipeline, board_upload, board_json, board_async_db;
handler          board_crud_list, board_crud_item, board_crud_new, board_crud_change;
promise_handler  board_delay;
promise_handler  user_page_promises;
callback_handler user_page_callbacks;

enum { LONGEST_SLEEP = 60000 };              /* ms */
handler          sleep_await, block, echo, whoami, ws_echo, countdown, plaintext, json, healthz, readyz, stats, metrics;
handler          static_file, log_level_look, log_level_change, recording_ask;
promise_handler  sleep_promise, ws_echo_promise, events;
callback_handler ws_echo_callback;

extern const route ROUTES[];
extern const int   ROUTE_COUNT;

#endif
