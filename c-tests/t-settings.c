/* Settings: at creation, in mid-flight, and wrong ones.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

static struct listener *server;

/* A change while handles are in use: what is pending goes out under the old
 * setting, what comes after it under the new one.
 */
static void test_mid_flight (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    struct fripp_metric *count;
    struct fripp_metric *gauge;
    struct fripp_metric *timer;
    struct fripp_metric *total;

    count = fripp_metric_get (ctx, FRIPP_COUNTER, "c", NULL);
    gauge = fripp_metric_get (ctx, FRIPP_GAUGE, "g", NULL);
    timer = fripp_metric_get (ctx, FRIPP_TIMER, "t", NULL);
    total = fripp_metric_get (ctx, FRIPP_TOTAL, "n", NULL);
    fripp_metric_add (count, 1);
    fripp_metric_add (gauge, 5);
    fripp_metric_record (timer, 2);
    fripp_metric_set (total, 10);
    ok (fripp_set_prefix (ctx, "new") == 0, "a prefix in mid-flight");
    fripp_metric_add (count, 2);
    fripp_metric_add (gauge, 1);
    fripp_metric_record (timer, 3);
    fripp_metric_set (total, 15);
    is_str (flushed (ctx, server),
            "c:1|c\ng:5|g\nn:10|c\nt:2|ms\n"
            "new.c:2|c\nnew.g:6|g\nnew.n:5|c\nnew.t:3|ms",
            "what is pending goes out under the old one; held gauges and "
            "the base of totals carry over");

    fripp_metric_add (count, 1);
    ok (fripp_set_tags (ctx, "k:v") == 0, "tags in mid-flight");
    fripp_metric_add (count, 2);
    is_str (flushed (ctx, server), "new.c:1|c\nnew.c:2|c|#k:v",
            "the old ones, then the new ones");
    fripp_metric_add (count, 1);
    ok (fripp_set_tags (ctx, "") == 0, "none");
    fripp_metric_add (count, 2);
    is_str (flushed (ctx, server), "new.c:1|c|#k:v\nnew.c:2|c",
            "\"\" clears them");

    fripp_set_prefix (ctx, "");
    fripp_metric_record (timer, 1);
    fripp_metric_record (timer, 2);
    fripp_metric_set (gauge, -5);
    fripp_metric_set (total, 20);
    ok (fripp_set_dialect (ctx, FRIPP_TELEGRAF) == 0,
        "a dialect in mid-flight");
    fripp_metric_record (timer, 3);
    fripp_metric_record (timer, 4);
    fripp_metric_set (gauge, -6);
    fripp_metric_set (total, 30);
    is_str (flushed (ctx, server), "g:-5|g\nn:5|c\nt:1:2|ms\n"
            "g:0|g\ng:-6|g\nn:10|c\nt:3|ms\nt:4|ms",
            "the old one's bytes, then the new one's");
    ok (fripp_set_dialect (ctx, FRIPP_BRUBECK) == 0, "to brubeck");
    fripp_metric_set (total, 35);
    is_str (flushed (ctx, server), "n:30|C\nn:35|C",
            "a total is then sent in full, after the value that it grew from");
    ok (fripp_set_dialect (ctx, FRIPP_STATSD) == 0, "and back");
    fripp_metric_set (total, 36);
    is_str (flushed (ctx, server), "n:1|c", "a difference of what was sent");

    fripp_metric_add (count, 1);
    ok (fripp_set_agg_period (ctx, 7200) == 0, "a period in mid-flight");
    is_str (arrived (ctx, server), "c:1|c", "sends what is pending");
    errno = EXDEV;
    fripp_metric_add (count, 1);
    ok (fripp_set_prefix (ctx, "") == 0 && errno == EXDEV
        && fripp_set_tags (ctx, "") == 0 && errno == EXDEV
        && fripp_set_dialect (ctx, FRIPP_STATSD) == 0 && errno == EXDEV
        && fripp_set_agg_period (ctx, 7200) == 0 && errno == EXDEV,
        "a setting that does not change anything");
    is_str (flushed (ctx, server), "c:1|c", "loses nothing");
    fripp_ctx_destroy (ctx);
}

static void test_period_0 (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    struct fripp_metric *m;
    char name[32];

    for (int i = 0; i < 100; i++) {
        snprintf (name, sizeof (name), "before.%d", i);
        fripp_timing (ctx, name, i);
    }
    fripp_packet_appendf (ctx, "raw:1|c");
    ok (fripp_set_agg_period (ctx, 0) == 0
        && listener_wait_lines (server, 101, DEADLINE) == 101,
        "a period set to 0 first sends what is pending, all of it");
    listener_clear (server);
    fripp_inc (ctx, "a", 1);
    is_str (arrived (ctx, server), "a:1|c", "then each call sends at once");
    fripp_inc (ctx, "a", 1);
    fripp_inc (ctx, "a", 1);
    is_str (arrived (ctx, server), "a:1|c\na:1|c", "each call by itself");
    ok (datagrams () == 2, "in a datagram of its own");
    fripp_gauge (ctx, "g", 5, false);
    fripp_gauge (ctx, "g", 5, false);
    fripp_gauge (ctx, "g", 1, true);
    is_str (arrived (ctx, server), "g:5|g\ng:5|g\ng:6|g",
            "a gauge, also one that did not change");
    fripp_count (ctx, "t", 5);
    fripp_count (ctx, "t", 5);
    is_str (arrived (ctx, server), "t:0.000000001|C\nt:5|C\nt:5|C",
            "a total");
    fripp_timing (ctx, "ms", 5);
    fripp_timing (ctx, "ms", 5);
    is_str (arrived (ctx, server), "ms:5|ms\nms:5|ms", "a timing");
    fripp_packet_appendf (ctx, "raw:%d|c", 2);
    is_str (arrived (ctx, server), "raw:2|c", "an appended packet");
    m = fripp_metric_get (ctx, FRIPP_GAUGE, "h", NULL);
    fripp_metric_set (m, -5);
    is_str (arrived (ctx, server), "h:0|g\nh:-5|g", "a handle");
    ok (datagrams () == 1, "the zero in the same datagram");
    is_str (flushed (ctx, server), "", "nothing is left for a flush");
    ok (fripp_set_agg_period (ctx, 3600) == 0, "a period again");
    fripp_metric_set (m, 1);
    fripp_inc (ctx, "a", 1);
    is_str (arrived (ctx, server), "", "then nothing is sent at once");
    is_str (flushed (ctx, server), "a:1|c\nh:1|g", "but with the flush");
    fripp_ctx_destroy (ctx);

    ctx = ctx_open (server, "period=0&dialect=statsd");
    fripp_count (ctx, "t", 10);
    fripp_count (ctx, "t", 30);
    fripp_unique (ctx, "s", "m");
    fripp_unique (ctx, "s", "m");
    is_str (arrived (ctx, server), "t:10|c\nt:20|c\ns:m|s\ns:m|s",
            "period=0 in a URI: differences, and members each time");
    fripp_ctx_destroy (ctx);
}

/* By themselves, and at other times than the period's when it changes.
 */
static void test_periods (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    double start;

    fripp_set_agg_period (ctx, 0.01);
    for (int i = 1; i <= 5; i++) {
        fripp_inc (ctx, "a", 1);
        listener_need (server, (size_t)i);
    }
    ok (listener_lines (server) == 5, "a shorter period comes into force at "
        "once, though the old one is an hour");
    listener_clear (server);
    fripp_set_agg_period (ctx, 86400);
    fripp_inc (ctx, "b", 1);
    is_str (arrived (ctx, server), "", "a longer one too");
    fripp_ctx_destroy (ctx);
    listener_need (server, 1);
    ok (listener_got (server, 0, "b:1|c", 5), "destroy sends the rest");
    listener_clear (server);

    start = now_ms ();
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    fripp_inc (ctx, "c", 1);
    listener_need (server, 1);
    ok (listener_got (server, 0, "c:1|c", 5), "the period is 1 s by default: "
        "%.0f ms", now_ms () - start);
    fripp_ctx_destroy (ctx);
    listener_clear (server);
}

static void test_bad (void)
{
    static const double periods[] = {
        -1, -0.01, 0.0099, 1e-9, 86400.1, 1e9, 1e300, NAN, INFINITY, -INFINITY
    };
    static const int numbers[] = { 9, 10, -1, 1000, 0x7fffffff };
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=graphite"
                                      "&tags=k:v");
    int failed = 0;

    fripp_inc (ctx, "n", 1);
    for (size_t i = 0; i < sizeof (periods) / sizeof (periods[0]); i++)
        failed += FAILS (fripp_set_agg_period (ctx, periods[i]), EINVAL);
    is_int (failed, sizeof (periods) / sizeof (periods[0]),
            "a period that is negative, too short or long, or no number: "
            "EINVAL");
    failed = 0;
    for (size_t i = 0; i < sizeof (numbers) / sizeof (numbers[0]); i++)
        failed += FAILS (fripp_set_dialect (ctx,
                                            (enum fripp_dialect)numbers[i]),
                         EINVAL);
    is_int (failed, sizeof (numbers) / sizeof (numbers[0]),
            "a dialect that there is not: EINVAL");
    ok (FAILS (fripp_set_tags (ctx, "k"), EINVAL)
        && FAILS (fripp_set_prefix (ctx, repeat ('p', 128)), EINVAL)
        && FAILS (fripp_set_dialect (ctx, FRIPP_STATSD), ENOTSUP)
        && FAILS (fripp_set_dialect (ctx, FRIPP_BRUBECK), ENOTSUP),
        "a tag without ':', a prefix too long, a dialect without tags");
    is_str (arrived (ctx, server), "", "nothing is sent for it");
    is_str (flushed (ctx, server), "n;k=v:1|c", "and the old ones stay");
    ok (fripp_set_agg_period (ctx, 0.01) == 0
        && fripp_set_agg_period (ctx, 86400) == 0
        && fripp_set_agg_period (ctx, -0.0) == 0
        && fripp_set_agg_period (ctx, 0) == 0, "0.01, 86,400 and 0 are good");
    fripp_ctx_destroy (ctx);
}

static void test_not_supported (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    struct fripp_metric *m;

    ok (FAILS (fripp_unique (ctx, "s", "m"), ENOTSUP)
        && FAILS (fripp_send (ctx, "s", 1, FRIPP_SET), ENOTSUP)
        && FAILS_NULL (fripp_metric_get (ctx, FRIPP_SET, "s", NULL), ENOTSUP)
        && FAILS_NULL (fripp_metric_get (ctx, FRIPP_GAUGE, "g", "k:v"),
                       ENOTSUP)
        && FAILS (fripp_set_tags (ctx, "k:v"), ENOTSUP),
        "brubeck has no sets and no tags: ENOTSUP");
    ok (fripp_set_tags (ctx, "") == 0
        && fripp_metric_get (ctx, FRIPP_GAUGE, "g", ""), "no tags are good");
    ok (fripp_set_dialect (ctx, FRIPP_STATSD) == 0
        && fripp_unique (ctx, "s", "m") == 0
        && FAILS (fripp_set_tags (ctx, "k:v"), ENOTSUP)
        && FAILS_NULL (fripp_metric_get (ctx, FRIPP_GAUGE, "g", "k:v"),
                       ENOTSUP), "statsd has sets, and no tags");
    (void)flushed (ctx, server);
    ok (FAILS (fripp_set_dialect (ctx, FRIPP_BRUBECK), ENOTSUP),
        "a dialect that lacks sets while they are in use: ENOTSUP");
    fripp_forget (ctx, "s");
    ok (fripp_set_dialect (ctx, FRIPP_BRUBECK) == 0,
        "when they are forgotten it is good");
    fripp_set_dialect (ctx, FRIPP_TELEGRAF);
    m = fripp_metric_get (ctx, FRIPP_GAUGE, "g", "k:v");
    fripp_metric_set (m, 1);
    ok (FAILS (fripp_set_dialect (ctx, FRIPP_STATSD), ENOTSUP)
        && FAILS (fripp_set_dialect (ctx, FRIPP_BRUBECK), ENOTSUP),
        "a dialect that lacks tags in use: ENOTSUP");
    ok (fripp_set_dialect (ctx, FRIPP_GRAPHITE) == 0
        && fripp_metric_set (m, 2) == 0, "another that has them");
    is_str (flushed (ctx, server), "g,k=v:1|g\ng;k=v:2|g",
            "writes them its way");
    fripp_ctx_destroy (ctx);
    ok (FAILS_NULL (fripp_ctx_create_uri (NULL, "127.0.0.1:8125?tags=k:v"),
                    EINVAL), "tags in a URI without a dialect that has them");
}

static void test_bounds (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&max_metrics=3");
    struct fripp_stats before;
    struct fripp_stats s;

    fripp_inc (ctx, "a", 1);
    fripp_gauge (ctx, "a", 1, false);
    fripp_metric_get (ctx, FRIPP_TIMER, "a", NULL);
    fripp_get_stats (ctx, &before, sizeof (before));
    ok (FAILS (fripp_inc (ctx, "b", 1), ENOSPC)
        && FAILS (fripp_timing (ctx, "b", 1), ENOSPC)
        && FAILS_NULL (fripp_metric_get (ctx, FRIPP_COUNTER, "b", NULL),
                       ENOSPC), "one more than max_metrics: ENOSPC");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.dropped_full >= before.dropped_full + 2
        && s.dropped_full <= before.dropped_full + 3
        && s.dropped == s.dropped_full, "counted in dropped_full");
    ok (fripp_inc (ctx, "a", 1) == 0 && fripp_inc (ctx, ".a", 1) == 0,
        "those that there are go on, in other spellings too");
    is_str (flushed (ctx, server), "a:3|c\na:1|g", "nothing else is lost");
    fripp_ctx_destroy (ctx);
}

/* All keys, in many orders: the same lines.
 */
static void test_uri (void)
{
    static const char *const keys[] = {
        "dialect=dogstatsd", "period=3600", "prefix=a%2eb", "tags=k:v,l:%77",
        "mtu=512", "refresh=0", "max_metrics=4", "buffer=65536",
        "max_samples=2", "origin=none", "histogram=h"
    };
    /* N is prime: with any step all of them come */
    enum { N = sizeof (keys) / sizeof (keys[0]) };
    int good = 0;

    for (int first = 0; first < N; first++) {
        for (int step = 1; step < N; step++) {
            struct fripp_ctx *ctx;
            struct fripp_stats s;
            char query[512] = "";
            const char *text;
            bool same;

            for (int i = 0; i < N; i++) {
                strcat (query, i ? "&" : "");
                strcat (query, keys[(first + i * step) % N]);
            }
            ctx = ctx_open (server, "%s", query);
            fripp_gauge (ctx, "g", -1, false);
            fripp_inc (ctx, "n", 1);
            fripp_timing (ctx, "t", 1);
            fripp_timing (ctx, "t", 2);
            fripp_histogram (ctx, "h", 2);
            same = FAILS (fripp_inc (ctx, "m", 1), ENOSPC);
            same &= FAILS (fripp_format_send (ctx, "%s", repeat ('x', 513)),
                           EMSGSIZE);
            text = flushed (ctx, server);
            same &= !strcmp (text, "a.b.g:-1|g|#k:v,l:w\n"
                             "a.b.n:1|c|#k:v,l:w\na.b.t:1:2|ms|#k:v,l:w\n"
                             "a.b.h:2|h|#k:v,l:w");
            fripp_get_stats (ctx, &s, sizeof (s));
            if (same)
                good++;
            else
                diag ("%s: %s", query, text);
            fripp_ctx_destroy (ctx);
        }
    }
    is_int (good, N * (N - 1), "URI keys in every order");
}

static void test_bad_uris (void)
{
    static const char *const bad[] = {
        "", "localhost", "localhost:", ":8125", "localhost:0",
        "localhost:70000", "localhost:8125x", "http://localhost:8125",
        "127.0.0.1:8125?", "127.0.0.1:8125?period", "127.0.0.1:8125?period=",
        "127.0.0.1:8125?period=-1", "127.0.0.1:8125?period=nan",
        "127.0.0.1:8125?period=1e9", "127.0.0.1:8125?period=0.009",
        "127.0.0.1:8125?period=86401", "127.0.0.1:8125?period=0,5",
        "127.0.0.1:8125?dialect=none", "127.0.0.1:8125?mtu=511",
        "127.0.0.1:8125?mtu=65508", "127.0.0.1:8125?refresh=-1",
        "127.0.0.1:8125?max_metrics=-1", "127.0.0.1:8125?max_metrics=x",
        "127.0.0.1:8125?max_samples=0", "127.0.0.1:8125?origin=auto",
        "127.0.0.1:8125?buffer=1k", "127.0.0.1:8125?color=red",
        "127.0.0.1:8125?Period=1", "127.0.0.1:8125?prefix=%4",
        "127.0.0.1:8125?prefix=%zz", "127.0.0.1:8125?prefix=%00",
        "127.0.0.1:8125?dialect=telegraf&tags=k", "unix:", "unix://",
        "[::1:8125", "[::1]", "[::1]:"
    };

    for (size_t i = 0; i < sizeof (bad) / sizeof (bad[0]); i++)
        ok (FAILS_NULL (fripp_ctx_create_uri (NULL, bad[i]), EINVAL),
            "the URI '%s': EINVAL", bad[i]);
}

/* Each call to a context that sends nowhere. Returns how many say 0.
 */
static int call_all (struct fripp_ctx *ctx)
{
    struct fripp_timer t;
    struct fripp_metric *m;
    struct fripp_stats s;
    struct fripp_stats zeros = { 0 };
    int good = 0;

    fripp_timer_start (&t);
    errno = EXDEV;
    good += fripp_format_send (ctx, "a:%d|c", 1) == 0;
    good += fripp_sendf (ctx, "a:%d|c", 1) == 0;
    good += fripp_packet_appendf (ctx, "a:%d|c", 1) == 0;
    good += fripp_count (ctx, "n", 1) == 0;
    good += fripp_inc (ctx, "n", 1) == 0;
    good += fripp_gauge (ctx, "n", 1, false) == 0;
    good += fripp_gauge (ctx, "n", 1, true) == 0;
    good += fripp_gauge_real (ctx, "n", 1) == 0;
    good += fripp_timing (ctx, "n", 1) == 0;
    good += fripp_histogram (ctx, "n", 1) == 0;
    good += fripp_unique (ctx, "n", "m") == 0;
    good += fripp_timer_stop (ctx, "n", &t) == 0;
    good += fripp_forget (ctx, "n") == 0;
    good += fripp_set_prefix (ctx, "p") == 0;
    good += fripp_set_tags (ctx, "k:v") == 0;
    good += fripp_set_agg_period (ctx, 2) == 0;
    good += fripp_set_dialect (ctx, FRIPP_STATSD) == 0;
    good += fripp_set_log (ctx, NULL, NULL) == 0;
    good += fripp_flush (ctx) == 0;
    for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++) {
        good += fripp_send (ctx, "n", 1, type) == 0;
        m = fripp_metric_get (ctx, type, "n", "k:v");
        good += m && fripp_metric_add (m, 1) == 0
            && fripp_metric_set (m, 1) == 0
            && fripp_metric_set_real (m, 1) == 0
            && fripp_metric_record (m, 1) == 0
            && fripp_metric_unique (m, "m") == 0
            && fripp_metric_stop (m, &t) == 0;
    }
    memset (&s, 0xff, sizeof (s));
    good += fripp_get_stats (ctx, &s, sizeof (s)) == 0
        && !memcmp (&s, &zeros, sizeof (s));
    good += errno == EXDEV;
    return good;
}

#define CALLS (19 + 2 * 6 + 2)

static void test_environment (void)
{
    struct fripp_ctx *ctx;
    char uri[128];
    int threads = count_threads ();
    int fds = count_fds ();

    unsetenv ("FLUX_FRIPP_STATSD");
    errno = EXDEV;
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (ctx && errno == EXDEV && !fripp_enabled (ctx),
        "FLUX_FRIPP_STATSD unset: a disabled context");
    is_int (call_all (ctx), CALLS, "it takes every call and returns 0");
    ok (count_threads () == threads && count_fds () == fds,
        "and has neither a thread nor a socket");
    fripp_ctx_destroy (ctx);
    setenv ("FLUX_FRIPP_STATSD", "localhost", 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (ctx && !fripp_enabled (ctx), "a bad one: a disabled context");
    is_int (call_all (ctx), CALLS, "it takes every call and returns 0");
    fripp_ctx_destroy (ctx);

    snprintf (uri, sizeof (uri), "127.0.0.1:%d?" NEVER "&prefix=env."
              "{{rank}}", listener_port (server));
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (fripp_enabled (ctx) && fripp_inc (ctx, "n", 1) == 0,
        "a good one: enabled");
    is_str (flushed (ctx, server), "env.0.n:1|c", "with its settings");
    fripp_ctx_destroy (ctx);
    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    fripp_inc (ctx, "n", 1);
    is_str (flushed (ctx, server), "n:1|c", "no prefix without a handle");
    fripp_ctx_destroy (ctx);
    ok (FAILS_NULL (fripp_ctx_create_uri (NULL, "localhost"), EINVAL),
        "a bad URI is an error, whatever the variable says");
    unsetenv ("FLUX_FRIPP_STATSD");
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    test_mid_flight ();
    test_period_0 ();
    test_periods ();
    test_bad ();
    test_not_supported ();
    test_bounds ();
    test_uri ();
    test_bad_uris ();
    test_environment ();
    listener_destroy (server);
    return done_testing ();
}
