/* SPDX-License-Identifier: Apache-2.0
 * One request as pip would make it: through its proxy, with its certificates, without a check of those hosts
 * that its configuration trusts. */
#ifndef SLUICE_IMG_PIP_FETCH_H
#define SLUICE_IMG_PIP_FETCH_H

#include "runtime-image/pip_config.h"
#include "sys/http.h"

/* As sys_http_do(), with proxy, trust and redirects (each host of the chain is trusted or not by itself) set from
 * `pip`; `rq` is changed. Errors: those of sys_http_do(), and target-unreachable for a circle of redirects. */
SL_MUST_CHECK bool img_pip_fetch(struct sys_http *h, const struct img_pip *pip, struct sys_http_request *rq,
                                 struct sl_arena *a, struct sys_http_answer *ret, struct sl_err *err);
/* Is the host of this URL one whose certificate need not be checked? For tests. */
bool img_pip_trusts(const struct img_pip *pip, const char *url);

#endif
