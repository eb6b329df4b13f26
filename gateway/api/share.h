/* SPDX-License-Identifier: Apache-2.0
 * What one user may take of the server, so that others get theirs: requests a second, calls under way, rows and bytes of results a
 * second. A user is the name of a
 * token; the command line of this machine is none. Safe from any thread; nothing here waits. */
#ifndef SLUICE_API_SHARE_H
#define SLUICE_API_SHARE_H

#include "base/err.h"

#define API_RETRY_LATER "retry-after: 1\r\n" /* there are some again within a second */

struct api_shares;
struct api_shares *api_shares_new(void);
void api_shares_free(struct api_shares *s);
/* One more request at `now_ms` (monotonic). False: limit-user, he has had limit.user-requests within a second. */
SL_MUST_CHECK bool api_share_request(struct api_shares *s, sl_str user, int64_t now_ms, struct sl_err *err);
/* One more call that takes a thread for as long as it wants. False: limit-user, limit.user-calls of his are under way. */
SL_MUST_CHECK bool api_share_begin(struct api_shares *s, sl_str user, struct sl_err *err);
void api_share_end(struct api_shares *s, sl_str user);
/* Rows of results given to him at `now_ms`. */
void api_share_rows(struct api_shares *s, sl_str user, int64_t rows, int64_t bytes, int64_t now_ms);
/* How many ms until he may be given more; 0: now. What is given is never cut: who had more than a second's share waits longer. */
int64_t api_share_rows_wait(struct api_shares *s, sl_str user, int64_t now_ms);

#endif
