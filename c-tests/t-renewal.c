/* A path that died although nothing says so: a UNIX path that is bound again
 * while the old server has its socket open, full, and never reads it again.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"

static bool is_full (struct fripp_ctx *ctx)
{
    struct fripp_stats stats;

    fripp_get_stats (ctx, &stats, sizeof (stats));
    return stats.pending > 0;
}

static void test_bound_again (const char *settings)
{
    char path[200];
    char uri[300];
    struct listener *old;
    struct listener *new;
    struct fripp_ctx *ctx;
    double since;
    bool found = false;
    size_t n = 0;

    snprintf (path, sizeof (path), "%s/server", scratch_dir ());
    snprintf (uri, sizeof (uri), "unix://%s?dialect=statsd%s", path, settings);
    (void)unlink (path);
    old = listen_unix (path);
    ctx = fripp_ctx_create_uri (NULL, uri);
    while (!is_full (ctx))
        must (fripp_format_send (ctx, "old:1|c") == 0);
    must (unlink (path) == 0);
    new = listen_unix (path);
    listener_start (new);
    since = now_ms ();
    fripp_format_send (ctx, "new:1|c");
    while (!found && listener_wait (new, n + 1, DEADLINE) > n)
        found = listener_got (new, n++, "new:1|c", 7);
    ok (found, "a UNIX path is bound again while the old socket is full: it is "
        "found without a call (%s)", settings);
    ok (found && now_ms () - since < 1500, "within a second");
    listener_stop (new);
    fripp_ctx_destroy (ctx);
    listener_destroy (new);
    listener_destroy (old);
}

int main (void)
{
    test_bound_again ("");
    test_bound_again ("&period=0.1");
    return done_testing ();
}
