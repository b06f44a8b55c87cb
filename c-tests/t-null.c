/* NULL in every pointer position of every function.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

static int send_v (struct fripp_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = fripp_vformat_send (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

#define EINVAL_OF(call) (errno = 0, (call) == -1 && errno == EINVAL)

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    /* the compiler knows of the formats that NULL is none */
    const char *volatile null = NULL;
    struct fripp_ctx *disabled;
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    struct fripp_stats zeros = { 0 };

    errno = 0;
    ok (!fripp_ctx_create (NULL, NULL, 8125) && errno == EINVAL,
        "fripp_ctx_create: a NULL hostname is EINVAL");
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    ok (ctx != NULL, "fripp_ctx_create: a NULL handle is none");

    unsetenv ("FLUX_FRIPP_STATSD");
    disabled = fripp_ctx_create_uri (NULL, NULL);
    ok (disabled != NULL, "fripp_ctx_create_uri: NULL, NULL is a context");

    errno = EXDEV;
    fripp_ctx_destroy (NULL);
    ok (errno == EXDEV, "fripp_ctx_destroy: NULL does nothing");
    ok (!fripp_enabled (NULL) && errno == EXDEV,
        "fripp_enabled: NULL is false");
    ok (fripp_enabled (ctx) && !fripp_enabled (disabled),
        "fripp_enabled: true with an end point, false without");

    ok (EINVAL_OF (fripp_format_send (NULL, "a:1|c")),
        "fripp_format_send: a NULL context is EINVAL");
    ok (EINVAL_OF (fripp_format_send (ctx, null)),
        "fripp_format_send: a NULL format is EINVAL");
    ok (EINVAL_OF (fripp_format_send (NULL, null)),
        "fripp_format_send: both NULL is EINVAL");
    ok (EINVAL_OF (fripp_sendf (NULL, "a:1|c")),
        "fripp_sendf: a NULL context is EINVAL");
    ok (EINVAL_OF (fripp_sendf (ctx, null)),
        "fripp_sendf: a NULL format is EINVAL");
    ok (EINVAL_OF (send_v (NULL, "a:%d|c", 1)),
        "fripp_vformat_send: a NULL context is EINVAL");
    ok (EINVAL_OF (send_v (ctx, null)),
        "fripp_vformat_send: a NULL format is EINVAL");
    ok (fripp_format_send (ctx, "a:%s|c", null) == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "a:(null)|c", 10),
        "fripp_format_send: a NULL for %%s is what printf makes of it");

    ok (EINVAL_OF (fripp_get_stats (NULL, &stats, sizeof (stats))),
        "fripp_get_stats: a NULL context is EINVAL");
    ok (EINVAL_OF (fripp_get_stats (ctx, NULL, sizeof (stats))),
        "fripp_get_stats: NULL stats are EINVAL");
    ok (EINVAL_OF (fripp_get_stats (ctx, &stats, 0)),
        "fripp_get_stats: size 0 is EINVAL");

    ok (EINVAL_OF (fripp_set_log (NULL, NULL, NULL)),
        "fripp_set_log: a NULL context is EINVAL");
    errno = EXDEV;
    ok (fripp_set_log (ctx, NULL, NULL) == 0 && errno == EXDEV,
        "fripp_set_log: a NULL function is nobody");

    ok (fripp_version () && !strcmp (fripp_version (), FRIPP_VERSION),
        "fripp_version () equals FRIPP_VERSION");

    errno = EXDEV;
    ok (fripp_format_send (disabled, "a:%d|c", 1) == 0
        && fripp_sendf (disabled, "a:%d|c", 1) == 0
        && send_v (disabled, "a:%d|c", 1) == 0
        && fripp_set_log (disabled, NULL, NULL) == 0 && errno == EXDEV,
        "a disabled context takes every call and returns 0");
    memset (&stats, 0xff, sizeof (stats));
    ok (fripp_get_stats (disabled, &stats, sizeof (stats)) == 0
        && !memcmp (&stats, &zeros, sizeof (stats)),
        "a disabled context has stats of zeros");
    ok (EINVAL_OF (fripp_format_send (disabled, null)),
        "a NULL format is EINVAL to a disabled context too");

    fripp_ctx_destroy (disabled);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
