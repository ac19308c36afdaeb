/* baseline.c - /baseline11?a=N&b=N: the sum of both, and of the number that is the body of a POST. */
#include "boards.h"
#include "server/base/buffer.h"

static int baseline_wrong(request *req)
{
    return respond_problem(req, 400, "Say what to add: /baseline11?a=N&b=N with whole numbers, and by POST another as the body.");
}

int board_baseline(request *req)
{
    const bool posted = text_equal(request_method(req), TEXT("POST"));
    int64_t a, b, more = 0, sum;
    if (!request_has_query(req, "a") || !request_has_query(req, "b") || request_query_int(req, "a", &a) ||
        request_query_int(req, "b", &b) || (posted && request_body_int(req, &more)))
        return baseline_wrong(req);
    if (__builtin_add_overflow(a, b, &sum) || __builtin_add_overflow(sum, more, &sum))
        return respond_problem(req, 400, "The sum has more than 64 bits.");
    buffer said;
    buffer_init(&said, request_arena(req));
    buffer_int(&said, sum);
    return respond(req, 200, "text/plain", buffer_all(&said));
}
