/* errno is left alone by what succeeds, and set by what fails.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

/* Whether errno is as it was set before the call.
 */
#define KEPT(call) (errno = EXDEV, (call) && errno == EXDEV)

static int send_v (struct fripp_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = fripp_vformat_send (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

static bool destroy_keeps (struct fripp_ctx *ctx)
{
    errno = EXDEV;
    fripp_ctx_destroy (ctx);
    return errno == EXDEV;
}

static void test_calls (struct fripp_ctx *ctx, const char *where)
{
    struct logbook book = { 0 };
    struct fripp_stats stats;
    char text[1500];

    ok (KEPT (fripp_enabled (ctx)), "%s: fripp_enabled", where);
    ok (KEPT (fripp_set_log (ctx, logbook_write, &book) == 0),
        "%s: fripp_set_log", where);
    ok (KEPT (fripp_format_send (ctx, "a:%d|c", 1) == 0),
        "%s: fripp_format_send", where);
    ok (KEPT (fripp_sendf (ctx, "a:%d|c", 1) == 0), "%s: fripp_sendf",
        where);
    ok (KEPT (send_v (ctx, "a:%d|c", 1) == 0), "%s: fripp_vformat_send",
        where);
    ok (KEPT (fripp_format_send (ctx, "%s", "") == 0),
        "%s: fripp_format_send of an empty text", where);
    memset (text, 'x', sizeof (text));
    text[1441] = '\0';
    errno = EXDEV;
    ok (fripp_format_send (ctx, "%s", text) == -1 && errno == EMSGSIZE,
        "%s: fripp_format_send of 1441 bytes sets EMSGSIZE", where);
    ok (KEPT (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0),
        "%s: fripp_get_stats", where);
    ok (KEPT (fripp_version ()), "%s: fripp_version", where);
    ok (KEPT (fripp_set_log (ctx, NULL, NULL) == 0),
        "%s: fripp_set_log of NULL", where);
    ok (destroy_keeps (ctx), "%s: fripp_ctx_destroy", where);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct listener *gone = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    char uri[200];

    ok (KEPT ((ctx = fripp_ctx_create (NULL, "127.0.0.1",
                                       listener_port (server)))),
        "fripp_ctx_create of an address");
    test_calls (ctx, "a server");

    listener_drop (gone);
    ok (KEPT ((ctx = fripp_ctx_create (NULL, "127.0.0.1",
                                       listener_port (gone)))),
        "fripp_ctx_create where nobody listens");
    test_calls (ctx, "no server");

    ok (KEPT ((ctx = fripp_ctx_create (NULL, "nosuch.invalid", 8125))),
        "fripp_ctx_create of a name that does not resolve");
    test_calls (ctx, "no such name");

    snprintf (uri, sizeof (uri), "unix:%s/nobody", scratch_dir ());
    ok (KEPT ((ctx = fripp_ctx_create_uri (NULL, uri))),
        "fripp_ctx_create_uri of a UNIX path that does not exist");
    test_calls (ctx, "no such path");

    errno = EXDEV;
    ok (!fripp_ctx_create (NULL, "127.0.0.1", 0) && errno == EINVAL,
        "fripp_ctx_create that fails sets errno");
    errno = EXDEV;
    ok (!fripp_ctx_create_uri (NULL, "localhost:") && errno == EINVAL,
        "fripp_ctx_create_uri that fails sets errno");

    listener_destroy (gone);
    listener_destroy (server);
    return done_testing ();
}
