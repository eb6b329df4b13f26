/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.3 of the results port. Its certificate is made when it is first wanted, lives in memory, and ends with the
 * process: who dials knows it by its SHA-256 alone. A connection's state moves bytes in memory; the lane does the
 * sending. */
#ifndef SLUICE_RESULTS_TLS_H
#define SLUICE_RESULTS_TLS_H

#include "base/buf.h"
#include "base/err.h"

#define RES_PIN_BYTES 80 /* "sha256:" and 64 hex digits, with its end */

struct res_identity; /* key and certificate; any thread */
/* Error: tls-failed. */
SL_MUST_CHECK struct res_identity *res_identity_new(struct sl_err *err);
const char *res_identity_pin(const struct res_identity *i);
void res_identity_free(struct res_identity *i); /* may be NULL */

struct res_tls; /* of one connection; one thread */
SL_MUST_CHECK struct res_tls *res_tls_new(struct res_identity *i);
void res_tls_free(struct res_tls *t); /* may be NULL */
/* Ciphertext that came. false: it is none. */
SL_MUST_CHECK bool res_tls_feed(struct res_tls *t, const char *p, size_t n);
/* Plain bytes that were in it: their number; 0 = no more now; negative: the peer said that it ends, or it is no TLS. */
int res_tls_read(struct res_tls *t, char *ret, int cap);
/* false: hands were not shaken yet. */
SL_MUST_CHECK bool res_tls_write(struct res_tls *t, const char *p, size_t n);
/* The last that is said. */
void res_tls_end(struct res_tls *t);
/* Appends what is to be sent. */
void res_tls_take(struct res_tls *t, struct sl_buf *ret);
bool res_tls_has_more(const struct res_tls *t);

#endif
