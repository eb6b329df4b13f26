/* SPDX-License-Identifier: Apache-2.0
 * SHA-256, random bytes, hex. */
#ifndef SLUICE_BASE_DIGEST_H
#define SLUICE_BASE_DIGEST_H

#include "base/str.h"

struct sl_sha256 {
    void *ctx; /* EVP_MD_CTX */
};
void sl_sha256_init(struct sl_sha256 *h);
void sl_sha256_put(struct sl_sha256 *h, const void *p, size_t n);
/* 64 hex digits and a NUL; the state is released. */
void sl_sha256_hex(struct sl_sha256 *h, char out[65]);
/* "sha256:" and 64 hex digits of one slice. */
void sl_sha256_digest(sl_str s, char out[72]);
/* `bytes` random bytes from the kernel as hex (2 * bytes digits and a NUL). */
void sl_random_hex(char *out, size_t bytes);
/* Constant-time comparison of equal-length secrets. */
bool sl_secret_eq(sl_str a, sl_str b);

#endif
