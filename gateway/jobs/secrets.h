/* SPDX-License-Identifier: Apache-2.0
 * The request of a version without the values of its secrets, which are never kept, becomes whole again with values that
 * are given anew. */
#ifndef SLUICE_JOBS_SECRETS_H
#define SLUICE_JOBS_SECRETS_H

#include "base/json.h"
#include "sqlparse/vars.h"

/* params: of script.submit, as they are kept for a version; given: values by name, later ones win; may be NULL. What is given
 * beyond the version's own variables goes along when it is a secret. NULL: variable-undefined, naming the secrets that
 * the text asks for and nobody gives; what the text does not ask for is not needed. In the arena. */
SL_MUST_CHECK const struct sl_json *secrets_fill(const struct sl_json *params, const struct sql_vars *given,
                                                 const char *job, int64_t version, struct sl_arena *a,
                                                 struct sl_err *err);

#endif
