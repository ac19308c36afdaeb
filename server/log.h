/* log.h - one line an event, on stderr, each in one write. Control bytes are escaped, so that what
 * a stranger sent cannot forge a line. */
#ifndef LOG_H
#define LOG_H

typedef enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } log_level;

void log_set_level(log_level most);          /* LOG_INFO until then */
void log_write(log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)

#endif
