/* samples.h - what the samples in README.md and docs/ may use without saying so. A sample that is no whole function
 * becomes the inside of one that has a request, and may return an error. */
#include "db/outbox.h"
#include "handlers/handlers.h"
#include "handlers/jobs.h"
#include "handlers/users/page.h"
#include "handlers/site.h"
#include "server/async/background.h"
#include "server/async/chain.h"
#include "server/async/combine.h"
#include "server/async/queue.h"
#include "server/async/semaphore.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/executor/file.h"
#include "server/executor/process/process_pool.h"
#include "server/executor/thread_pool.h"
#include "server/http/client/client.h"
#include "server/http/cors.h"
#include "server/http/events/events.h"
#include "server/http/middleware/rate_limit.h"
#include "server/http/router.h"
#include "server/http/websocket/websocket.h"
#include "server/topic/subscription.h"

handler         hello_name;
promise_handler hello_later;
int             use(text piece);
