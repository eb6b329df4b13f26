/* SPDX-License-Identifier: Apache-2.0
 * /metrics: what the server and what is behind it say of themselves, as Prometheus reads it (text format 0.0.4). Names stay as they
 * are once they were told. Loop thread: nothing here waits for more than a lock. */
#ifndef SLUICE_API_METRICS_H
#define SLUICE_API_METRICS_H

#include "gateway/api/api.h"
#include "gateway/front/front.h"

struct metrics_server {
    struct front_counts front;
    uint64_t refused, limited; /* requests */
    int64_t lag_ms;            /* of the loop */
    uint64_t slow_turns;       /* of the loop, of more than 5 ms */
};
void metrics_put(struct sl_buf *b, const struct metrics_server *s, struct api *a);

#endif
