/* The dialect of a context that names none: brubeck with a Flux handle and
 * from fripp_ctx_create (), statsd from a URI without a handle.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <flux/core.h>
#include <fripp.h>

#include "flux-standin/standin.h"
#include "listener.h"
#include "tap.h"

/* brubeck has no sets, and statsd has no tags either.
 */
static void test_is (struct fripp_ctx *ctx, bool statsd, const char *what)
{
    must (ctx != NULL);
    errno = 0;
    if (statsd)
        is_int (fripp_unique (ctx, "u", "m"), 0, "%s: statsd", what);
    else
        ok (fripp_unique (ctx, "u", "m") < 0 && errno == ENOTSUP,
            "%s: brubeck", what);
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    char uri[64], named[96];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (l));
    snprintf (named, sizeof (named), "%s?dialect=brubeck", uri);
    test_is (fripp_ctx_create (NULL, "127.0.0.1", listener_port (l)), false,
             "fripp_ctx_create () without a handle");
    test_is (fripp_ctx_create (h, "127.0.0.1", listener_port (l)), false,
             "fripp_ctx_create () with one");
    test_is (fripp_ctx_create_uri (NULL, uri), true, "a URI without one");
    test_is (fripp_ctx_create_uri (h, uri), false, "a URI with one");
    test_is (fripp_ctx_create_uri (NULL, named), false, "a URI that says so");
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    test_is (fripp_ctx_create_uri (NULL, NULL), true,
             "FLUX_FRIPP_STATSD without a handle");
    test_is (fripp_ctx_create_uri (h, NULL), false, "and with one");
    flux_close (h);
    listener_destroy (l);
    return done_testing ();
}
