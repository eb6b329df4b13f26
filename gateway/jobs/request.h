/* SPDX-License-Identifier: Apache-2.0
 * A submission's request as JSON: what a client sends, and what is kept in a file of its own (0600; it holds
 * values of secrets) from before the first step that counts until the submission has ended, so that the next
 * owner can go on with it. */
#ifndef SLUICE_JOBS_REQUEST_H
#define SLUICE_JOBS_REQUEST_H

#include "base/json.h"
#include "gateway/jobs/submission.h"

/* Reads the parameters of script.submit; strings lie in the arena or in `params`. Error: usage. */
SL_MUST_CHECK bool sub_request_read(const struct sl_json *params, struct sl_arena *a, struct sub_request *ret,
                                    struct sl_err *err);
/* One of its resolved variables, as an element of "vars" that sub_request_read() reads. */
void sub_request_put_var(struct sl_jw *w, sl_str name, sl_str value, sl_str source, bool secret);
/* Keeps it below `dir`, named by its key; the same again replaces it. */
SL_MUST_CHECK bool sub_request_keep(const char *dir, const struct sub_request *rq, struct sl_err *err);
/* Reads it back; false also when none is kept (file-not-found). */
SL_MUST_CHECK bool sub_request_kept(const char *dir, sl_str key, struct sl_arena *a, struct sub_request *ret,
                                    struct sl_err *err);
void sub_request_drop(const char *dir, sl_str key);
/* Removes all but those whose keys are given: what a death between two writes has left. */
void sub_request_sweep(const char *dir, const char *const *keys, size_t n);

#endif
