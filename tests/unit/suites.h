/* suites.h - the unit suites of each folder, and what runs them. */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

#define EACH_BASE_SUITE(run) \
    run(memory_suite)        \
    run(reserve_suite)       \
    run(arena_suite)         \
    run(escape_suite)        \
    run(buffer_suite)        \
    run(log_throttle_suite)  \
    run(line_ring_suite)     \
    run(outlet_suite)        \
    run(log_suite)           \
    run(list_suite)          \
    run(stopwatch_suite)     \
    run(recorder_suite)      \
    run(recorder_watch_suite) \
    run(slowest_suite)       \
    run(shard_suite)         \
    run(exposition_suite)    \
    run(units_suite)         \
    run(utf8_suite)          \
    run(address_suite)       \
    run(network_suite)       \
    run(codel_suite)         \
    run(token_buckets_suite) \
    run(blocking_wait_suite)

#define EACH_CONFIG_SUITE(run) \
    run(redaction_suite)       \
    run(installed_suite)       \
    run(suggestion_suite)      \
    run(config_suite)          \
    run(config_file_suite)     \
    run(config_reload_suite)   \
    run(endpoint_suite)        \
    run(network_list_suite)    \
    run(options_suite)

#define EACH_ASYNC_SUITE(run) \
    run(loop_latency_suite)   \
    run(loop_suite)           \
    run(loop_end_suite)       \
    run(loop_activity_suite)  \
    run(loop_events_suite)    \
    run(promise_suite)        \
    run(scope_for_suite)      \
    run(scope_suite)          \
    run(unawaited_suite)      \
    run(chain_suite)          \
    run(combine_suite)        \
    run(timer_suite)          \
    run(schedule_suite)       \
    run(timing_suite)         \
    run(context_suite)        \
    run(fiber_suite)          \
    run(stack_suite)          \
    run(task_suite)           \
    run(task_cancel_suite)    \
    run(trace_suite)          \
    run(semaphore_suite)      \
    run(queue_suite)          \
    run(either_suite)         \
    run(background_suite)

#define EACH_EXECUTOR_SUITE(run)    \
    run(resource_pool_suite)        \
    run(executor_suite)             \
    run(thread_pool_suite)          \
    run(workload_suite)             \
    run(process_pool_suite)         \
    run(process_pool_faults_suite)  \
    run(process_pool_threads_suite) \
    run(file_suite)

#define EACH_DIAGNOSE_SUITE(run) \
    run(stall_table_suite)       \
    run(stall_detector_suite)    \
    run(unawaited_log_suite)     \
    run(watchdog_suite)          \
    run(symbols_suite)           \
    run(crash_handler_suite)

#define EACH_TOPIC_SUITE(run) \
    run(topic_message_suite)  \
    run(topic_suite)          \
    run(audience_suite)       \
    run(subscription_suite)   \
    run(subscription_again_suite) \
    run(subscription_threads_suite)

#define EACH_INSPECT_SUITE(run) \
    run(inspect_suite)

#define EACH_HTTP_SUITE(run)     \
    run(head_scanner_suite)    \
    run(head_suite)              \
    run(chunked_suite)           \
    run(body_suite)              \
    run(output_suite)            \
    run(router_suite)            \
    run(url_suite)               \
    run(trace_context_suite)     \
    run(identity_suite)          \
    run(access_line_suite)       \
    run(access_log_suite)        \
    run(traces_suite)            \
    run(accept_header_suite)     \
    run(status_suite)            \
    run(listener_suite)          \
    run(listening_sockets_suite) \
    run(socket_file_suite)       \
    run(handover_suite)          \
    run(proxy_header_suite)      \
    run(forwarded_suite)         \
    run(peer_suite)              \
    run(proxied_suite)           \
    run(request_suite)           \
    run(cors_suite)              \
    run(rate_limit_suite)        \
    run(files_suite)             \
    run(compression_suite)       \
    run(connection_suite)        \
    run(connection_end_suite)    \
    run(admission_suite)         \
    run(admission_refuses_suite) \
    run(thread_admission_suite)  \
    run(worker_suite)            \
    run(server_start_suite)      \
    run(server_stop_suite)       \
    run(transport_suite)         \
    run(pipeline_suite)          \
    run(writer_suite)            \
    run(streamed_answer_suite)   \
    run(poller_suite)            \
    run(stream_suite)            \
    run(stream_end_suite)        \
    run(websocket_styles_suite) \
    run(websocket_suite)         \
    run(websocket_handshake_suite) \
    run(websocket_either_suite) \
    run(websocket_follow_suite) \
    run(deflate_suite) \
    run(event_suite)              \
    run(events_suite)            \
    run(follow_suite)            \
    run(follow_on_suite)         \
    run(client_suite)            \
    run(client_bounds_suite)     \
    run(client_threads_suite)    \
    run(healthcheck_suite)

#define EACH_DB_SUITE(run)             \
    run(value_suite)                   \
    run(row_codec_suite)               \
    run(schema_suite)                  \
    run(job_queue_suite)               \
    run(sqlite_suite)                  \
    run(sqlite_writer_suite)           \
    run(sqlite_query_each_suite)       \
    run(sqlite_transaction_suite)      \
    run(sqlite_outbox_suite)           \
    run(rows_suite)                    \
    run(sqlite_limits_suite)           \
    run(sqlite_faults_suite)           \
    run(sqlite_threads_suite)          \
    run(outage_log_suite)

#define EACH_POSTGRES_SUITE(run)       \
    run(prepared_statement_suite)      \
    run(postgres_suite)                \
    run(postgres_stopped_suite)        \
    run(postgres_connect_suite)        \
    run(postgres_faults_suite)         \
    run(postgres_lost_suite)           \
    run(postgres_again_suite)          \
    run(postgres_network_suite)        \
    run(postgres_threads_suite)        \
    run(postgres_threads_faults_suite) \
    run(postgres_sends_suite)          \
    run(postgres_each_suite)           \
    run(postgres_transaction_suite)    \
    run(postgres_outbox_suite)         \
    run(postgres_rows_suite)

#define EACH_HANDLERS_SUITE(run) \
    run(topics_suite)        \
    run(loop_view_suite)     \
    run(markdown_suite)          \
    run(outcome_word_suite)      \
    run(item_cache_suite)        \
    run(latencies_suite)         \
    run(verdict_suite)           \
    run(generator_suite)         \
    run(advice_suite)            \
    run(waterfall_suite)         \
    run(chat_suite)              \
    run(mail_suite)              \
    run(memory_use_suite)        \
    run(line_reader_suite)      \
    run(import_suite)

/* How tasks switch matters to these. */
#define EACH_TASK_SUITE(run) \
    EACH_BASE_SUITE(run) EACH_ASYNC_SUITE(run) EACH_EXECUTOR_SUITE(run) EACH_DIAGNOSE_SUITE(run)
#define EACH_SERVED_SUITE(run) \
    EACH_CONFIG_SUITE(run) EACH_TOPIC_SUITE(run) EACH_INSPECT_SUITE(run) EACH_HTTP_SUITE(run) EACH_HANDLERS_SUITE(run)
/* The parts that main.c runs alone. */
#define EACH_SUITE(run) \
    EACH_TASK_SUITE(run) EACH_SERVED_SUITE(run) EACH_DB_SUITE(run) EACH_POSTGRES_SUITE(run)

#define DECLARE(suite) Suite *suite(void);
EACH_SUITE(DECLARE)
#undef DECLARE

typedef Suite *suite_fn(void);

/* Runs them, of which there are so many, one after the other; returns what main does. */
int suites_run(suite_fn *const suites[], size_t count);

#endif
