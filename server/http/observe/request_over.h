/* request_over.h - a request is over, and all is known of it that there is to know: who counts, traces or logs it is told. */
#ifndef HTTP_REQUEST_OVER_H
#define HTTP_REQUEST_OVER_H

#include "access_log.h"
#include "server/http/request_internal.h"
#include "traces.h"

/* Each is told with its client: so a connection notes the address from the first on, and a head stays to the end. Of who was
 * there before that was wanted the kernel is asked each time. */
static inline bool request_over_names_clients(void) { return access_log_is_on() || traces_are_on(); }

/* Before anything of it is freed. */
static inline void request_over(request *req)
{
    char room[IP_TEXT];
    const text client = request_over_names_clients() ? request_client_name(req, room) : TEXT("");
    request_count_over(req);
    traces_request(req, client);
    if (access_log_is_on())
        access_log_request(req, client);
}

#endif
