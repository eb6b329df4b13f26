/* SPDX-License-Identifier: Apache-2.0
 * Another certificate for a server that runs. It is read and checked in a context of its own; the server's context, which new
 * connections look at, then takes certificate, chain and key in one step. */
#include "gateway/front/front_impl.h"

#include <openssl/err.h>
#include <stdlib.h>

struct front_tls {
    SSL_CTX *ctx;
    bool client_ca;
};

/* Nobody is there to type one. */
static int no_passphrase(char *buf, int n, int writing, void *ctx)
{
    (void)buf;
    (void)n;
    (void)writing;
    (void)ctx;
    return 0;
}

static bool failed(struct sl_err *err, const char *what, const char *file)
{
    unsigned long e = ERR_get_error();
    const char *why = e ? ERR_reason_error_string(e) : NULL;
    ERR_clear_error();
    return sl_fail(err, SL_TLS_FAILED, "%s %s cannot be used: %s", what, file, why ? why : "not readable");
}

static bool read_files(struct front_tls *t, const char *cert, const char *key, const char *client_ca,
                       struct sl_err *err)
{
    if (SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1) {
        return failed(err, "the certificate", cert);
    }
    if (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(t->ctx) != 1) {
        return failed(err, "the key", key);
    }
    if (client_ca && SSL_CTX_load_verify_locations(t->ctx, client_ca, NULL) != 1) {
        return failed(err, "the authority", client_ca);
    }
    return true;
}

struct front_tls *front_tls_read(const char *cert, const char *key, const char *client_ca, struct sl_err *err)
{
    struct front_tls *t = calloc(1, sizeof(*t));
    SL_OOM_ON(!t);
    t->ctx = SSL_CTX_new(TLS_server_method());
    SL_OOM_ON(!t->ctx);
    t->client_ca = client_ca != NULL;
    SSL_CTX_set_default_passwd_cb(t->ctx, no_passphrase);
    ERR_clear_error();
    if (!read_files(t, cert, key, client_ca, err)) {
        front_tls_free(t);
        return NULL;
    }
    return t;
}

bool front_tls_use(struct front *f, const struct front_tls *t)
{
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(t->ctx, &chain);
    if (!f->tls || SSL_CTX_use_cert_and_key(f->tls, SSL_CTX_get0_certificate(t->ctx),
                                            SSL_CTX_get0_privatekey(t->ctx), chain, 1) != 1) {
        return false;
    }
    if (t->client_ca) {
        SSL_CTX_set1_cert_store(f->tls, SSL_CTX_get_cert_store(t->ctx));
    }
    return true;
}

void front_tls_free(struct front_tls *t)
{
    if (t) {
        SSL_CTX_free(t->ctx);
        free(t);
    }
}
