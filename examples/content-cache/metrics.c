/* metrics.c - a context of libfripp for each module
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

static void log_line (int level, const char *text, void *arg)
{
    (void)level;
    fprintf (arg, "metrics: %s\n", text);
}

struct fripp_ctx *metrics_create (void)
{
    const char *uri = getenv ("FLUX_FRIPP_STATSD");
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, NULL);

    if (!ctx || (uri && !fripp_enabled (ctx))) {
        fprintf (stderr, "FLUX_FRIPP_STATSD=%s: %s\n", uri ? uri : "",
                 ctx ? "not a URI" : strerror (errno));
        exit (2);
    }
    fripp_set_log (ctx, log_line, stderr);
    fripp_set_prefix (ctx, "flux");
    /* in a run this short a point each second would be too few */
    if (!uri || !strstr (uri, "period="))
        fripp_set_agg_period (ctx, 0.25);
    return ctx;
}

void metrics_destroy (struct fripp_ctx *ctx)
{
    struct fripp_stats stats;

    if (fripp_flush (ctx) < 0)
        perror ("fripp_flush");
    if (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0
        && (stats.dropped > 0 || stats.pending > 0))
        fprintf (stderr, "metrics: %" PRIu64 " lines dropped, %" PRIu64
                 " bytes not sent\n", stats.dropped, stats.pending);
    fripp_ctx_destroy (ctx);
}

/* vi: ts=4 sw=4 expandtab
 */
