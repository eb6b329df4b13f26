/* SPDX-License-Identifier: Apache-2.0
 * libwebsockets 4.1 to 4.3 turns for ever when a request with a body arrives in one segment behind another request: after
 * our HTTP callback it tries to consume a buffered body that is not there. A function of this name in the program is
 * found before the library's own; when the callback has just armed it, it says once that nothing is buffered, which
 * leaves the faulty loop, and the body comes the ordinary way. front_shim_works() proves at start that it is in the way.
 *
 * It also closes a connection without a word when a head is too large, and tells nobody but its log: so its closing goes through here,
 * where the client can still be answered. */
#include "gateway/front/front_impl.h"

#include <dlfcn.h>

static bool armed; /* loop thread only */
static unsigned asked;
static bool head_large; /* loop thread only: heard, and not closed yet */

void front_shim_arm(void)
{
    armed = true;
}

void front_shim_disarm(void)
{
    armed = false;
}

static void *real_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    SL_BUG_ON(!found);
    return found;
}

/* The library's declaration is in its public header; this definition takes its place for calls from inside it. */
size_t lws_buflist_next_segment_len(struct lws_buflist **head, uint8_t **buf)
{
    typedef size_t next_fn(struct lws_buflist **, uint8_t **);
    static next_fn *real;
    asked++;
    if (armed) {
        armed = false;
        if (buf) {
            *buf = NULL;
        }
        return 0;
    }
    if (!real) {
        void *found = real_of("lws_buflist_next_segment_len");
        memcpy(&real, &found, sizeof(real));
    }
    return real(head, buf);
}

void front_shim_heard(const char *line)
{
    head_large = head_large || strstr(line, "Ran out of header data space") ||
                 strstr(line, "exceeds limit") || strstr(line, "More hdr frags");
}

/* Declared by the library for its plugins only. */
void lws_close_free_wsi(struct lws *wsi, enum lws_close_status reason, const char *caller);
void lws_close_free_wsi(struct lws *wsi, enum lws_close_status reason, const char *caller)
{
    typedef void close_fn(struct lws *, enum lws_close_status, const char *);
    static close_fn *real;
    if (!real) {
        void *found = real_of("lws_close_free_wsi");
        memcpy(&real, &found, sizeof(real));
    }
    struct link *l = head_large && wsi ? lws_get_opaque_user_data(wsi) : NULL;
    head_large = false;
    if (l && !l->peer) { /* between requests: it was reading a head */
        front_head_large(wsi, l);
    }
    real(wsi, reason, caller);
}

bool front_shim_works(void)
{
    /* A call from inside the library: at the end of a segment it asks for the next one. */
    struct lws_buflist *list = NULL;
    static const uint8_t byte[LWS_PRE + 2] = {1, 2};
    unsigned before = asked;
    if (lws_buflist_append_segment(&list, byte, 2) < 0 || lws_buflist_append_segment(&list, byte, 2) < 0) {
        return false;
    }
    lws_buflist_use_segment(&list, 2);
    lws_buflist_destroy_all_segments(&list);
    return asked != before;
}
