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

#define EINVAL_OF(call) (errno = 0, (call) == -1 && errno == EINVAL)

static int send_v (struct fripp_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = fripp_vformat_send (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

static int append_v (struct fripp_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = fripp_packet_vappendf (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

static void test_metrics (struct fripp_ctx *ctx)
{
    const char *volatile null = NULL;
    struct fripp_timer t = FRIPP_TIMER_INIT;
    struct fripp_metric *timer;
    struct fripp_metric *m;

    ok (EINVAL_OF (fripp_packet_appendf (NULL, "a:1|c"))
        && EINVAL_OF (fripp_packet_appendf (ctx, null)),
        "fripp_packet_appendf: NULL is EINVAL");
    ok (EINVAL_OF (append_v (NULL, "a:%d|c", 1))
        && EINVAL_OF (append_v (ctx, null)),
        "fripp_packet_vappendf: NULL is EINVAL");
    ok (EINVAL_OF (fripp_count (NULL, "a", 1))
        && EINVAL_OF (fripp_count (ctx, NULL, 1)),
        "fripp_count: NULL is EINVAL");
    ok (EINVAL_OF (fripp_inc (NULL, "a", 1))
        && EINVAL_OF (fripp_inc (ctx, NULL, 1)), "fripp_inc: NULL is EINVAL");
    ok (EINVAL_OF (fripp_gauge (NULL, "a", 1, false))
        && EINVAL_OF (fripp_gauge (ctx, NULL, 1, true)),
        "fripp_gauge: NULL is EINVAL");
    ok (EINVAL_OF (fripp_gauge_real (NULL, "a", 1))
        && EINVAL_OF (fripp_gauge_real (ctx, NULL, 1)),
        "fripp_gauge_real: NULL is EINVAL");
    ok (EINVAL_OF (fripp_timing (NULL, "a", 1))
        && EINVAL_OF (fripp_timing (ctx, NULL, 1)),
        "fripp_timing: NULL is EINVAL");
    ok (EINVAL_OF (fripp_histogram (NULL, "a", 1))
        && EINVAL_OF (fripp_histogram (ctx, NULL, 1)),
        "fripp_histogram: NULL is EINVAL");
    ok (EINVAL_OF (fripp_unique (NULL, "a", "m"))
        && EINVAL_OF (fripp_unique (ctx, NULL, "m"))
        && EINVAL_OF (fripp_unique (ctx, "a", NULL)),
        "fripp_unique: NULL is EINVAL");
    ok (EINVAL_OF (fripp_send (NULL, "a", 1, FRIPP_GAUGE))
        && EINVAL_OF (fripp_send (ctx, NULL, 1, FRIPP_GAUGE)),
        "fripp_send: NULL is EINVAL");
    ok (EINVAL_OF (fripp_forget (NULL, "a"))
        && EINVAL_OF (fripp_forget (ctx, NULL)),
        "fripp_forget: NULL is EINVAL");

    errno = 0;
    ok (!fripp_metric_get (NULL, FRIPP_COUNTER, "a", NULL) && errno == EINVAL,
        "fripp_metric_get: a NULL context is EINVAL");
    errno = 0;
    ok (!fripp_metric_get (ctx, FRIPP_COUNTER, NULL, NULL) && errno == EINVAL,
        "fripp_metric_get: a NULL name is EINVAL");
    m = fripp_metric_get (ctx, FRIPP_COUNTER, "a", NULL);
    ok (m != NULL, "fripp_metric_get: NULL tags are none");
    ok (EINVAL_OF (fripp_metric_add (NULL, 1)),
        "fripp_metric_add: NULL is EINVAL");
    ok (EINVAL_OF (fripp_metric_set (NULL, 1)),
        "fripp_metric_set: NULL is EINVAL");
    ok (EINVAL_OF (fripp_metric_set_real (NULL, 1)),
        "fripp_metric_set_real: NULL is EINVAL");
    ok (EINVAL_OF (fripp_metric_record (NULL, 1)),
        "fripp_metric_record: NULL is EINVAL");
    ok (EINVAL_OF (fripp_metric_unique (NULL, "m"))
        && EINVAL_OF (fripp_metric_unique (m, NULL)),
        "fripp_metric_unique: NULL is EINVAL");
    timer = fripp_metric_get (ctx, FRIPP_TIMER, "t", "");
    ok (EINVAL_OF (fripp_metric_stop (timer, NULL))
        && EINVAL_OF (fripp_metric_stop (timer, &t)),
        "fripp_metric_stop: a timer that is NULL, or was never started, is "
        "EINVAL");
    fripp_timer_start (NULL);
    fripp_timer_start (&t);
    ok (EINVAL_OF (fripp_metric_stop (NULL, &t)),
        "fripp_metric_stop: a NULL metric is EINVAL");
    errno = 0;
    ok (fripp_timer_elapsed (NULL) == -1.0 && errno == EINVAL,
        "fripp_timer_elapsed: NULL is -1.0 and EINVAL");
    ok (EINVAL_OF (fripp_timer_stop (NULL, "t", &t))
        && EINVAL_OF (fripp_timer_stop (ctx, NULL, &t))
        && EINVAL_OF (fripp_timer_stop (ctx, "t", NULL)),
        "fripp_timer_stop: NULL is EINVAL");

    ok (EINVAL_OF (fripp_set_prefix (NULL, "p"))
        && EINVAL_OF (fripp_set_prefix (ctx, NULL)),
        "fripp_set_prefix: NULL is EINVAL");
    ok (EINVAL_OF (fripp_set_tags (NULL, "k:v"))
        && EINVAL_OF (fripp_set_tags (ctx, NULL)),
        "fripp_set_tags: NULL is EINVAL");
    ok (EINVAL_OF (fripp_set_agg_period (NULL, 1)),
        "fripp_set_agg_period: NULL is EINVAL");
    ok (EINVAL_OF (fripp_set_dialect (NULL, FRIPP_STATSD)),
        "fripp_set_dialect: NULL is EINVAL");
    ok (EINVAL_OF (fripp_flush (NULL)), "fripp_flush: NULL is EINVAL");
}

/* What a disabled context takes.
 */
static void test_disabled (struct fripp_ctx *ctx)
{
    struct fripp_timer t = FRIPP_TIMER_INIT;
    struct fripp_metric *m;

    fripp_timer_start (&t);
    errno = EXDEV;
    ok (fripp_packet_appendf (ctx, "a:1|c") == 0
        && append_v (ctx, "a:%d|c", 1) == 0 && fripp_count (ctx, "a", 1) == 0
        && fripp_inc (ctx, "a", 1) == 0 && fripp_gauge (ctx, "a", 1, 0) == 0
        && fripp_gauge_real (ctx, "a", 1) == 0
        && fripp_timing (ctx, "a", 1) == 0
        && fripp_histogram (ctx, "a", 1) == 0
        && fripp_unique (ctx, "a", "m") == 0
        && fripp_send (ctx, "a", 1, FRIPP_GAUGE) == 0
        && fripp_forget (ctx, "a") == 0
        && fripp_timer_stop (ctx, "a", &t) == 0
        && fripp_set_prefix (ctx, "p") == 0
        && fripp_set_tags (ctx, "") == 0
        && fripp_set_agg_period (ctx, 5) == 0
        && fripp_set_dialect (ctx, FRIPP_STATSD) == 0
        && fripp_flush (ctx) == 0 && errno == EXDEV,
        "a disabled context takes metrics and settings and returns 0");
    m = fripp_metric_get (ctx, FRIPP_COUNTER, "a", NULL);
    ok (m && fripp_metric_add (m, 1) == 0 && errno == EXDEV,
        "fripp_metric_get gives an inert handle then");
}

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

    test_metrics (ctx);
    test_disabled (disabled);

    fripp_ctx_destroy (disabled);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
