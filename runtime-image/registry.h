/* SPDX-License-Identifier: Apache-2.0
 * Registries of OCI images (distribution spec 1.1) over HTTP: pushing and pulling without a daemon. What is there is not sent,
 * what another repository of the registry has is mounted, what breaks off goes on where it was. The manifest is sent last: a tag never
 * stands for half an image. Blocking; one registry belongs to one thread. */
#ifndef SLUICE_IMG_REGISTRY_H
#define SLUICE_IMG_REGISTRY_H

#include "runtime-image/oci_layout.h"

/* [http://|https://]HOST[:PORT]/REPOSITORY[:TAG][@sha256:...]. Without a scheme https, and http for this machine itself. */
struct img_ref {
    sl_str host; /* with its port */
    sl_str repository, tag;
    char digest[72]; /* "" = none */
    bool plain;      /* http */
};
/* Slices of the text. A tag is "latest" where neither tag nor digest is given. Error: usage. */
SL_MUST_CHECK bool img_ref_parse(sl_str text, struct img_ref *ret, struct sl_err *err);
/* HOST/REPOSITORY:TAG. */
sl_str img_ref_text(struct sl_arena *a, const struct img_ref *r);

struct img_registry_options {
    const char *user, *password; /* NULL: none */
    const char *docker_config;   /* its config.json, asked where no user is given; NULL: none */
    const char *ca_file;         /* NULL: the system's */
};
struct img_registry;
/* `more`: other repositories of the host that may be read from (for mounts), NULL-terminated; may be NULL. */
struct img_registry *img_registry_new(const struct img_ref *ref, const struct img_registry_options *o,
                                      const char *const *more);
void img_registry_free(struct img_registry *r);

struct img_pushed {
    size_t sent, mounted, there; /* blobs */
    int64_t bytes;               /* of bodies that went out, in vain too */
    size_t requests;
    char digest[72];   /* of the manifest */
    char previous[72]; /* what the tag stood for before; "" = nothing */
};
/* The image of a name in index.json below `root`. Errors: image-unknown, image-broken, registry-failed, registry-denied, address-refused. */
SL_MUST_CHECK bool img_push(struct img_registry *r, const char *root, sl_str name, struct img_pushed *ret,
                            struct sl_err *err);
struct img_pulled {
    size_t fetched, there;
    int64_t bytes; /* that came */
    char digest[72];
    char previous[72]; /* what the name stood for before; "" = nothing */
};
/* Into the layout below `root`, under a name, when all of it is there and fits. Of an index the manifest for this machine is taken.
 * Errors: image-unknown (the registry has none), and those above. */
SL_MUST_CHECK bool img_pull(struct img_registry *r, const char *root, sl_str name, struct img_pulled *ret,
                            struct sl_err *err);

#endif
