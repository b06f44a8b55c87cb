/* errno is left alone by each call of a metric that succeeds: aggregated, at
 * once, with nobody there, and with a name that does not resolve.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "resolver.h"
#include "tap.h"
#include "context.h"

#define KEPT(call) (errno = EXDEV, (call) && errno == EXDEV)

static void test_calls (struct fripp_ctx *ctx, bool there, const char *where)
{
    struct fripp_metric *m[6] = { NULL };
    struct fripp_timer t;
    struct fripp_stats s;
    int good = 0;
    int flush;

    ok (KEPT ((fripp_timer_start (&t), true))
        && KEPT (fripp_timer_elapsed (&t) >= 0), "%s: a timer", where);
    /* the first time a metric is made, the second time it is there */
    for (int i = 0; i < 2; i++) {
        good += KEPT (fripp_count (ctx, "n", 1) == 0);
        good += KEPT (fripp_inc (ctx, "n", 1) == 0);
        good += KEPT (fripp_gauge (ctx, "n", 1, false) == 0);
        good += KEPT (fripp_gauge (ctx, "n", 1, true) == 0);
        good += KEPT (fripp_gauge_real (ctx, "n", 1.5) == 0);
        good += KEPT (fripp_timing (ctx, "n", 1.5) == 0);
        good += KEPT (fripp_histogram (ctx, "n", 1.5) == 0);
        good += KEPT (fripp_unique (ctx, "n", "m") == 0);
        good += KEPT (fripp_timer_stop (ctx, "n", &t) == 0);
        good += KEPT (fripp_packet_appendf (ctx, "a:%d|c", 1) == 0);
        for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++) {
            good += KEPT (fripp_send (ctx, "n:n", 1, type) == 0);
            good += KEPT ((m[type] = fripp_metric_get (ctx, type, "t t",
                                                       "k:v")));
        }
        good += KEPT (fripp_metric_add (m[FRIPP_COUNTER], 1) == 0);
        good += KEPT (fripp_metric_add (m[FRIPP_GAUGE], 1) == 0);
        good += KEPT (fripp_metric_set (m[FRIPP_GAUGE], 1) == 0);
        good += KEPT (fripp_metric_set (m[FRIPP_TOTAL], 1) == 0);
        good += KEPT (fripp_metric_set_real (m[FRIPP_GAUGE], 1.5) == 0);
        good += KEPT (fripp_metric_record (m[FRIPP_TIMER], 1.5) == 0);
        good += KEPT (fripp_metric_record (m[FRIPP_HISTOGRAM], 1.5) == 0);
        good += KEPT (fripp_metric_unique (m[FRIPP_SET], "m") == 0);
        good += KEPT (fripp_metric_stop (m[FRIPP_TIMER], &t) == 0);
    }
    is_int (good, 2 * (10 + 12 + 9), "%s: metrics by name and by handle",
            where);
    ok (KEPT (fripp_set_prefix (ctx, "p") == 0)
        && KEPT (fripp_set_tags (ctx, "k:v") == 0)
        && KEPT (fripp_set_dialect (ctx, FRIPP_GRAPHITE) == 0)
        && KEPT (fripp_set_agg_period (ctx, 10) == 0)
        && KEPT (fripp_set_agg_period (ctx, 0) == 0), "%s: settings", where);
    ok (KEPT (fripp_inc (ctx, "n", 1) == 0)
        && KEPT (fripp_metric_add (m[FRIPP_COUNTER], 1) == 0)
        && KEPT (fripp_timing (ctx, "n", 1) == 0), "%s: at once", where);
    errno = EXDEV;
    flush = fripp_flush (ctx);
    ok (there ? flush == 0 && errno == EXDEV : flush == -1 && errno == EAGAIN,
        "%s: fripp_flush is %s", where, there ? "0" : "-1, EAGAIN");
    ok (KEPT (fripp_forget (ctx, "n") == 0)
        && KEPT (fripp_get_stats (ctx, &s, sizeof (s)) == 0),
        "%s: fripp_forget, fripp_get_stats", where);
    ok (KEPT ((fripp_ctx_destroy (ctx), true)), "%s: fripp_ctx_destroy",
        where);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct listener *gone = listen_udp ("127.0.0.1");

    resolver_answer (NULL);
    listener_drop (gone);
    test_calls (ctx_open (server, NEVER "&dialect=dogstatsd"), true,
                "a server");
    test_calls (ctx_open (gone, NEVER "&dialect=dogstatsd"), false,
                "no server");
    test_calls (fripp_ctx_create_uri (NULL, "nosuch.invalid:8125?"
                                      "dialect=telegraf"), false,
                "no such name");
    listener_destroy (gone);
    listener_destroy (server);
    return done_testing ();
}
