/* metrics.h - GET /metrics, in parts: each file of this folder has the families of one subject, in a table that ends with one
 * without a name. What is in them is counted elsewhere, as is what /stats has. */
#ifndef METRICS_H
#define METRICS_H

#include "process_figures.h"
#include "server/base/observe/exposition.h"
#include "server/base/observe/shard.h"

typedef struct metrics_page {
    exposition             e;
    const process_figures *process;          /* NULL: nobody had time to look */
} metrics_page;

typedef struct metric_family {
    metric is;
    void (*write)(metrics_page *p);          /* its samples */
} metric_family;

extern const metric_family METRICS_OF_HTTP[], METRICS_OF_TOPICS[], METRICS_OF_LOOPS[], METRICS_OF_DATABASE[], METRICS_OF_WORK[],
                           METRICS_OF_PROCESS[];

/* The sums of what has a name and is of that kind, in the arena: how many. */
int metrics_names(metrics_page *p, shard_kind kind, const name_sums **names);

/* The labels of what has that label: of a route its method and path, of anything else its name as the path. */
text metrics_labels_of(metrics_page *p, const char *label);

#endif
