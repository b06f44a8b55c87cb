/* A process without libflux-core: the library loads and works, with a handle
 * or without one.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct quiet quiet;
    struct fripp_ctx *ctx;
    struct fripp_ctx *disabled;
    /* nobody can look into it */
    flux_t *h = (flux_t *)(uintptr_t)16;

    ok (!dlsym (RTLD_DEFAULT, "flux_log"), "there is no Flux here");
    quiet_begin (&quiet);
    errno = EXDEV;
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    ok (ctx && fripp_enabled (ctx) && errno == EXDEV,
        "fripp_ctx_create with a handle that leads nowhere");
    ok (fripp_format_send (ctx, "a:%d|c", 1) == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "a:1|c", 5), "it sends");

    listener_drop (server);
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "kept.%d:1|c", i);
    listener_clear (server);
    listener_reopen (server);
    /* the first one may have been lost to the refusal */
    ok (listener_wait (server, 99, DEADLINE) >= 99,
        "what it keeps goes without a reactor");

    setenv ("FLUX_FRIPP_STATSD", "localhost", 1);
    errno = EXDEV;
    disabled = fripp_ctx_create_uri (h, NULL);
    ok (disabled && !fripp_enabled (disabled) && errno == EXDEV,
        "a bad FLUX_FRIPP_STATSD: disabled");
    fripp_ctx_destroy (disabled);
    fripp_ctx_destroy (ctx);
    is_int (quiet_end (&quiet), 0, "and nothing is printed");
    listener_destroy (server);
    return done_testing ();
}
