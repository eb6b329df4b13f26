/* SPDX-License-Identifier: Apache-2.0
 * OpenSSL between two memory buffers. */
#include "gateway/results/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define VALID_S (400L * 24 * 3600) /* nobody looks; some tools want a date */

struct res_identity {
    SSL_CTX *ctx;
    char pin[RES_PIN_BYTES];
};

struct res_tls {
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
};

static bool failed(struct sl_err *err, const char *what)
{
    unsigned long e = ERR_get_error();
    const char *why = e ? ERR_reason_error_string(e) : NULL;
    ERR_clear_error();
    return sl_fail(err, SL_TLS_FAILED, "%s of the results port cannot be made: %s", what,
                   why ? why : "unknown reason");
}

/* Signed by itself; the name is for people who look at the wire. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
    bool ok = name && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(x), -24L * 3600) &&
              X509_gmtime_adj(X509_getm_notAfter(x), VALID_S) && X509_set_pubkey(x, key) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sluice results",
                                         -1, -1, 0) == 1 &&
              X509_set_issuer_name(x, name) == 1 && X509_sign(x, key, EVP_sha256()) > 0;
    if (!ok) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static bool put_pin(X509 *x, char ret[RES_PIN_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (X509_digest(x, EVP_sha256(), digest, &n) != 1 || n != 32) {
        return false;
    }
    memcpy(ret, "sha256:", 7);
    for (unsigned i = 0; i < n; i++) {
        snprintf(ret + 7 + 2 * i, 3, "%02x", digest[i]);
    }
    return true;
}

struct res_identity *res_identity_new(struct sl_err *err)
{
    struct res_identity *i = calloc(1, sizeof *i);
    SL_OOM_ON(!i);
    ERR_clear_error();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key ? make_certificate(key) : NULL;
    i->ctx = x ? SSL_CTX_new(TLS_server_method()) : NULL;
    bool ok = i->ctx && SSL_CTX_set_min_proto_version(i->ctx, TLS1_3_VERSION) == 1 &&
              SSL_CTX_use_certificate(i->ctx, x) == 1 && SSL_CTX_use_PrivateKey(i->ctx, key) == 1 &&
              put_pin(x, i->pin);
    if (ok) {
        SSL_CTX_set_session_cache_mode(i->ctx, SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_num_tickets(i->ctx, 0);
        SSL_CTX_set_mode(i->ctx, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_options(i->ctx, SSL_OP_NO_TICKET);
    } else {
        failed(err, "the certificate");
        res_identity_free(i);
        i = NULL;
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return i;
}

const char *res_identity_pin(const struct res_identity *i)
{
    return i->pin;
}

void res_identity_free(struct res_identity *i)
{
    if (i) {
        SSL_CTX_free(i->ctx);
        free(i);
    }
}

struct res_tls *res_tls_new(struct res_identity *i)
{
    struct res_tls *t = calloc(1, sizeof *t);
    SL_OOM_ON(!t);
    t->ssl = SSL_new(i->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    SL_OOM_ON(!t->ssl || !t->in || !t->out);
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_accept_state(t->ssl);
    return t;
}

void res_tls_free(struct res_tls *t)
{
    if (t) {
        SSL_free(t->ssl);
        free(t);
    }
}

bool res_tls_feed(struct res_tls *t, const char *p, size_t n)
{
    return BIO_write(t->in, p, (int)n) == (int)n;
}

int res_tls_read(struct res_tls *t, char *ret, int cap)
{
    ERR_clear_error();
    int n = SSL_read(t->ssl, ret, cap);
    if (n > 0) {
        return n;
    }
    return SSL_get_error(t->ssl, n) == SSL_ERROR_WANT_READ ? 0 : -1;
}

bool res_tls_write(struct res_tls *t, const char *p, size_t n)
{
    ERR_clear_error();
    return SSL_is_init_finished(t->ssl) && (n == 0 || SSL_write(t->ssl, p, (int)n) == (int)n);
}

void res_tls_end(struct res_tls *t)
{
    ERR_clear_error();
    if (SSL_is_init_finished(t->ssl)) {
        (void)SSL_shutdown(t->ssl);
    }
}

bool res_tls_has_more(const struct res_tls *t)
{
    return BIO_ctrl_pending(t->out) > 0;
}

void res_tls_take(struct res_tls *t, struct sl_buf *ret)
{
    char piece[4096];
    int n;
    while ((n = BIO_read(t->out, piece, sizeof piece)) > 0) {
        sl_buf_put(ret, piece, (size_t)n);
    }
}
