/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 by OpenSSL, random bytes by the kernel. */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

static void to_hex(const unsigned char *in, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * n] = '\0';
}

void sl_sha256_init(struct sl_sha256 *h)
{
    /* OpenSSL goes on, and falls, with a context it had no memory to make */
    SL_OOM_ON(!OSSL_LIB_CTX_get0_global_default());
    h->ctx = EVP_MD_CTX_new();
    SL_OOM_ON(!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1);
}

void sl_sha256_put(struct sl_sha256 *h, const void *p, size_t n)
{
    SL_BUG_ON(EVP_DigestUpdate(h->ctx, p, n) != 1);
}

void sl_sha256_hex(struct sl_sha256 *h, char out[65])
{
    unsigned char md[32];
    SL_BUG_ON(EVP_DigestFinal_ex(h->ctx, md, NULL) != 1);
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
    to_hex(md, sizeof(md), out);
}

void sl_sha256_digest(sl_str s, char out[72])
{
    struct sl_sha256 h;
    sl_sha256_init(&h);
    sl_sha256_put(&h, s.p, s.n);
    memcpy(out, "sha256:", 7);
    sl_sha256_hex(&h, out + 7);
}

void sl_random_hex(char *out, size_t bytes)
{
    unsigned char raw[256];
    while (bytes > 0) {
        size_t n = SL_MIN(bytes, sizeof(raw));
        SL_BUG_ON(getrandom(raw, n, 0) != (ssize_t)n); /* up to 256 bytes come whole */
        to_hex(raw, n, out);
        out += 2 * n;
        bytes -= n;
    }
    OPENSSL_cleanse(raw, sizeof(raw));
    *out = '\0';
}

bool sl_secret_eq(sl_str a, sl_str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
