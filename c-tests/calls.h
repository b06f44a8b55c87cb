/* calls.h - all functions of fripp.h, in a list: t-calls holds it against
 * exports.txt, and t-null, t-errno and header/use.c go through it, so that a
 * new function fails tests until it has a row here
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef CALLS_H
#define CALLS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <fripp.h>

/* What the calls of the list are made with.
 */
struct operands {
    struct fripp_ctx *ctx;
    bool enabled;              /* it has an endpoint */
    bool reachable;            /* and somebody is there */
    struct fripp_ctx *made;    /* by one call, destroyed by another */
    struct fripp_ctx *made_uri;
    struct fripp_metric *counter;
    struct fripp_metric *total;
    struct fripp_metric *gauge;
    struct fripp_metric *timer;
    struct fripp_metric *set;
    struct fripp_timer t;
    struct fripp_stats stats;
    /* no compiler knows that this format is none */
    const char *volatile null;
};

/* Whether a call refuses what it is given.
 */
#define REFUSED(call) (errno = 0, (call) == -1 && errno == EINVAL)
#define REFUSED_NULL(call) (errno = 0, !(call) && errno == EINVAL)

/* Whether fripp_flush () is what it has to be; errno is left for that.
 */
#define FLUSHES(o, call) \
    ((o)->reachable || !(o)->enabled ? (call) == 0 \
     : (call) == -1 && errno == EAGAIN && (errno = EXDEV))

/* X (name, a call that succeeds, what it does with NULL at each pointer), in
 * an order in which all can be called; o is a struct operands.
 */
#define CALLS(X) \
    X (fripp_version, fripp_version () != NULL, fripp_version () != NULL) \
    X (fripp_error, fripp_error () != NULL, fripp_error () != NULL) \
    X (fripp_ctx_create, \
       (o->made = fripp_ctx_create (NULL, "127.0.0.1", 9)) != NULL, \
       REFUSED_NULL (fripp_ctx_create (NULL, NULL, 8125))) \
    X (fripp_ctx_create_uri, \
       (o->made_uri = fripp_ctx_create_uri (NULL, "127.0.0.1:9")) != NULL, \
       (o->made_uri = fripp_ctx_create_uri (NULL, NULL)) != NULL) \
    X (fripp_enabled, fripp_enabled (o->ctx) == o->enabled, \
       !fripp_enabled (NULL)) \
    X (fripp_set_log, fripp_set_log (o->ctx, NULL, NULL) == 0, \
       REFUSED (fripp_set_log (NULL, NULL, NULL))) \
    X (fripp_set_prefix, fripp_set_prefix (o->ctx, "p") == 0, \
       REFUSED (fripp_set_prefix (NULL, "p")) \
       && REFUSED (fripp_set_prefix (o->ctx, NULL))) \
    X (fripp_set_tags, fripp_set_tags (o->ctx, "k:v") == 0, \
       REFUSED (fripp_set_tags (NULL, "k:v")) \
       && REFUSED (fripp_set_tags (o->ctx, NULL))) \
    X (fripp_set_dialect, fripp_set_dialect (o->ctx, FRIPP_DOGSTATSD) == 0, \
       REFUSED (fripp_set_dialect (NULL, FRIPP_STATSD))) \
    X (fripp_format_send, fripp_format_send (o->ctx, "a:%d|c", 1) == 0, \
       REFUSED (fripp_format_send (NULL, "a:1|c")) \
       && REFUSED (fripp_format_send (o->ctx, o->null)) \
       && REFUSED (fripp_format_send (NULL, o->null))) \
    X (fripp_sendf, fripp_sendf (o->ctx, "a:%d|c", 1) == 0, \
       REFUSED (fripp_sendf (NULL, "a:1|c")) \
       && REFUSED (fripp_sendf (o->ctx, o->null))) \
    X (fripp_vformat_send, call_vformat_send (o->ctx, "a:%d|c", 1) == 0, \
       REFUSED (call_vformat_send (NULL, "a:%d|c", 1)) \
       && REFUSED (call_vformat_send (o->ctx, o->null))) \
    X (fripp_packet_appendf, fripp_packet_appendf (o->ctx, "a:%d|c", 1) == 0, \
       REFUSED (fripp_packet_appendf (NULL, "a:1|c")) \
       && REFUSED (fripp_packet_appendf (o->ctx, o->null))) \
    X (fripp_packet_vappendf, call_vappendf (o->ctx, "a:%d|c", 1) == 0, \
       REFUSED (call_vappendf (NULL, "a:%d|c", 1)) \
       && REFUSED (call_vappendf (o->ctx, o->null))) \
    X (fripp_event, \
       fripp_event (o->ctx, "t", "", FRIPP_ALERT_INFO, NULL) == 0, \
       REFUSED (fripp_event (NULL, "t", "", FRIPP_ALERT_INFO, "")) \
       && REFUSED (fripp_event (o->ctx, NULL, "", FRIPP_ALERT_INFO, "")) \
       && REFUSED (fripp_event (o->ctx, "t", NULL, FRIPP_ALERT_INFO, ""))) \
    X (fripp_service_check, \
       fripp_service_check (o->ctx, "n", FRIPP_STATUS_OK, NULL, NULL) == 0, \
       REFUSED (fripp_service_check (NULL, "n", FRIPP_STATUS_OK, "", "")) \
       && REFUSED (fripp_service_check (o->ctx, NULL, FRIPP_STATUS_OK, "", \
                                        ""))) \
    X (fripp_count, fripp_count (o->ctx, "n", 1) == 0, \
       REFUSED (fripp_count (NULL, "n", 1)) \
       && REFUSED (fripp_count (o->ctx, NULL, 1))) \
    X (fripp_inc, fripp_inc (o->ctx, "n", 1) == 0, \
       REFUSED (fripp_inc (NULL, "n", 1)) \
       && REFUSED (fripp_inc (o->ctx, NULL, 1))) \
    X (fripp_gauge_add, fripp_gauge_add (o->ctx, "g", 1) == 0, \
       REFUSED (fripp_gauge_add (NULL, "g", 1)) \
       && REFUSED (fripp_gauge_add (o->ctx, NULL, 1))) \
    X (fripp_gauge, \
       fripp_gauge (o->ctx, "n", 1, false) == 0 \
       && fripp_gauge (o->ctx, "n", 1, true) == 0, \
       REFUSED (fripp_gauge (NULL, "n", 1, false)) \
       && REFUSED (fripp_gauge (o->ctx, NULL, 1, true))) \
    X (fripp_gauge_real, fripp_gauge_real (o->ctx, "n", 1.5) == 0, \
       REFUSED (fripp_gauge_real (NULL, "n", 1)) \
       && REFUSED (fripp_gauge_real (o->ctx, NULL, 1))) \
    X (fripp_timing, fripp_timing (o->ctx, "n", 1.5) == 0, \
       REFUSED (fripp_timing (NULL, "n", 1)) \
       && REFUSED (fripp_timing (o->ctx, NULL, 1))) \
    X (fripp_histogram, fripp_histogram (o->ctx, "n", 1.5) == 0, \
       REFUSED (fripp_histogram (NULL, "n", 1)) \
       && REFUSED (fripp_histogram (o->ctx, NULL, 1))) \
    X (fripp_unique, fripp_unique (o->ctx, "n", "m") == 0, \
       REFUSED (fripp_unique (NULL, "n", "m")) \
       && REFUSED (fripp_unique (o->ctx, NULL, "m")) \
       && REFUSED (fripp_unique (o->ctx, "n", NULL))) \
    X (fripp_send, fripp_send (o->ctx, "n:n", 1, FRIPP_GAUGE) == 0, \
       REFUSED (fripp_send (NULL, "n", 1, FRIPP_GAUGE)) \
       && REFUSED (fripp_send (o->ctx, NULL, 1, FRIPP_GAUGE))) \
    X (fripp_metric_get, \
       (o->counter = fripp_metric_get (o->ctx, FRIPP_COUNTER, "h h", \
                                       "k:v")) != NULL \
       && (o->total = fripp_metric_get (o->ctx, FRIPP_TOTAL, "h h", \
                                        "")) != NULL \
       && (o->gauge = fripp_metric_get (o->ctx, FRIPP_GAUGE, "h h", \
                                        NULL)) != NULL \
       && (o->timer = fripp_metric_get (o->ctx, FRIPP_TIMER, "h h", \
                                        NULL)) != NULL \
       && (o->set = fripp_metric_get (o->ctx, FRIPP_SET, "h h", \
                                      NULL)) != NULL, \
       REFUSED_NULL (fripp_metric_get (NULL, FRIPP_COUNTER, "n", NULL)) \
       && REFUSED_NULL (fripp_metric_get (o->ctx, FRIPP_COUNTER, NULL, \
                                          NULL))) \
    X (fripp_metric_add, fripp_metric_add (o->counter, 1) == 0, \
       REFUSED (fripp_metric_add (NULL, 1))) \
    X (fripp_metric_set, \
       fripp_metric_set (o->total, 1) == 0 \
       && fripp_metric_set (o->gauge, 1) == 0, \
       REFUSED (fripp_metric_set (NULL, 1))) \
    X (fripp_metric_set_real, fripp_metric_set_real (o->gauge, 1.5) == 0, \
       REFUSED (fripp_metric_set_real (NULL, 1))) \
    X (fripp_metric_record, fripp_metric_record (o->timer, 1.5) == 0, \
       REFUSED (fripp_metric_record (NULL, 1))) \
    X (fripp_metric_unique, fripp_metric_unique (o->set, "m") == 0, \
       REFUSED (fripp_metric_unique (NULL, "m")) \
       && REFUSED (fripp_metric_unique (o->set, NULL))) \
    X (fripp_timer_start, (fripp_timer_start (&o->t), true), \
       (errno = EXDEV, fripp_timer_start (NULL), errno == EXDEV)) \
    X (fripp_timer_elapsed, fripp_timer_elapsed (&o->t) >= 0, \
       (errno = 0, fripp_timer_elapsed (NULL) == -1.0 && errno == EINVAL)) \
    X (fripp_timer_stop, fripp_timer_stop (o->ctx, "n", &o->t) == 0, \
       REFUSED (fripp_timer_stop (NULL, "n", &o->t)) \
       && REFUSED (fripp_timer_stop (o->ctx, NULL, &o->t)) \
       && REFUSED (fripp_timer_stop (o->ctx, "n", NULL))) \
    X (fripp_metric_stop, fripp_metric_stop (o->timer, &o->t) == 0, \
       REFUSED (fripp_metric_stop (NULL, &o->t)) \
       && REFUSED (fripp_metric_stop (o->timer, NULL))) \
    X (fripp_flush, FLUSHES (o, fripp_flush (o->ctx)), \
       REFUSED (fripp_flush (NULL))) \
    X (fripp_set_agg_period, \
       fripp_set_agg_period (o->ctx, 0) == 0 \
       && fripp_set_agg_period (o->ctx, 3600) == 0, \
       REFUSED (fripp_set_agg_period (NULL, 1))) \
    X (fripp_forget, fripp_forget (o->ctx, "n") == 0, \
       REFUSED (fripp_forget (NULL, "n")) \
       && REFUSED (fripp_forget (o->ctx, NULL))) \
    X (fripp_get_stats, \
       fripp_get_stats (o->ctx, &o->stats, sizeof (o->stats)) == 0, \
       REFUSED (fripp_get_stats (NULL, &o->stats, sizeof (o->stats))) \
       && REFUSED (fripp_get_stats (o->ctx, NULL, sizeof (o->stats)))) \
    X (fripp_ctx_destroy, \
       (fripp_ctx_destroy (o->made), fripp_ctx_destroy (o->made_uri), true), \
       (errno = EXDEV, fripp_ctx_destroy (NULL), errno == EXDEV))

static inline int call_vformat_send (struct fripp_ctx *ctx, const char *fmt,
                                     ...) FRIPP_PRINTF (2, 3);

static inline int call_vformat_send (struct fripp_ctx *ctx, const char *fmt,
                                     ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = fripp_vformat_send (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

static inline int call_vappendf (struct fripp_ctx *ctx, const char *fmt, ...)
    FRIPP_PRINTF (2, 3);

static inline int call_vappendf (struct fripp_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = fripp_packet_vappendf (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

#endif /* !CALLS_H */
