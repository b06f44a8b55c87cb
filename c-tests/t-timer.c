/* fripp_timer: any number of operations at once, each with its own.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define OPERATIONS 1000

struct operation {
    struct fripp_timer t;
    double started;
};

/* Lets at least this time go by (ms).
 */
static void spend (double ms)
{
    double end = now_ms () + ms;

    while (now_ms () < end)
        ;
}

/* All are under way at the same time, and end in another order than they
 * began in. Each names its own timer, so that it is known which is which.
 */
static void test_overlapping (void)
{
    struct operation *ops = calloc (OPERATIONS, sizeof (*ops));
    struct reader *r = reader_create (FRIPP_STATSD);
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_metric *m;
    struct fripp_stats s;
    double least[OPERATIONS];
    double most[OPERATIONS];
    int right = 0;
    int failed = 0;

    ctx = ctx_open_lossless (&server, NEVER "&dialect=statsd");
    listener_start (server);
    m = fripp_metric_get (ctx, FRIPP_TIMER, "load", NULL);
    for (int i = 0; i < OPERATIONS; i++) {
        ops[i].started = now_ms ();
        fripp_timer_start (&ops[i].t);
        spend (0.01);
    }
    for (int i = 0; i < OPERATIONS; i++) {
        /* 7 and 1,000 have no divisor in common: each comes once */
        int n = i * 7 % OPERATIONS;
        struct operation *op = &ops[n];
        char name[32];

        snprintf (name, sizeof (name), "load.%d", n);
        least[n] = fripp_timer_elapsed (&op->t);
        failed += fripp_timer_stop (ctx, name, &op->t) != 0;
        most[n] = now_ms () - op->started;
        failed += fripp_metric_stop (m, &op->t) != 0;
        spend (0.01);
    }
    is_int (failed, 0, "1,000 operations under way at once, each with a "
            "timer of its own");
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_need (server, s.datagrams);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    for (int i = 0; i < OPERATIONS; i++) {
        const struct reading *got;
        char name[32];

        snprintf (name, sizeof (name), "load.%d", i);
        got = reader_get (r, name, "ms");
        right += got->values == 1 && got->real_sum >= least[i] - 1e-6
            && got->real_sum <= most[i] + 1e-6;
    }
    is_int (right, OPERATIONS, "each is told its own time");
    ok (reader_get (r, "load", "ms")->values == OPERATIONS && !reader_bad (r),
        "and all of them are told of one name by handle");
    reader_destroy (r);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    free (ops);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    struct fripp_timer never = FRIPP_TIMER_INIT;
    struct fripp_timer t = FRIPP_TIMER_INIT;
    struct fripp_timer copy;
    struct fripp_metric *m;
    struct timespec ts;
    double first;
    double before;
    double ms = -1;

    m = fripp_metric_get (ctx, FRIPP_TIMER, "t", NULL);
    ok (FAILS (fripp_timer_stop (ctx, "t", &never), EINVAL)
        && FAILS (fripp_metric_stop (m, &never), EINVAL),
        "a timer that was never started: stop is EINVAL");
    errno = 0;
    ok (fripp_timer_elapsed (&never) == -1.0 && errno == EINVAL,
        "and elapsed is -1.0 and EINVAL");
    ok (FAILS (fripp_timer_stop (ctx, "t", NULL), EINVAL)
        && FAILS (fripp_metric_stop (m, NULL), EINVAL)
        && FAILS (fripp_timer_stop (ctx, "", &never), EINVAL),
        "NULL, or an empty name, too");
    is_str (flushed (ctx, server), "", "nothing is sent");

    clock_gettime (CLOCK_MONOTONIC, &ts);
    before = now_ms ();
    errno = EXDEV;
    fripp_timer_start (&t);
    ok (errno == EXDEV && t.t0 / 1000000000 - (uint64_t)ts.tv_sec <= 20,
        "t0 is CLOCK_MONOTONIC in ns");
    spend (5);
    first = fripp_timer_elapsed (&t);
    ok (errno == EXDEV && first >= 5 && first <= now_ms () - before,
        "elapsed: %f ms", first);
    ok (fripp_timer_stop (ctx, "t", &t) == 0 && errno == EXDEV, "stop");
    ok (sscanf (flushed (ctx, server), "t:%lf|ms", &ms) == 1
        && ms >= first - 1e-6 && ms <= now_ms () - before + 1e-6,
        "sends the time since the start: %f ms", ms);

    copy = t;
    spend (1);
    ok (fripp_timer_elapsed (&copy) > first
        && fripp_metric_stop (m, &copy) == 0
        && fripp_metric_stop (m, &t) == 0
        && fripp_timer_stop (ctx, "t", &copy) == 0,
        "a timer goes on, may be copied, and is stopped as often as one "
        "likes");
    ok (strchr (flushed (ctx, server), '\n') && datagrams () == 1,
        "each is sent");
    fripp_timer_start (&t);
    ok (fripp_timer_elapsed (&t) < fripp_timer_elapsed (&copy),
        "started again, it begins at 0; its copy does not");
    t = never;
    ok (FAILS (fripp_metric_stop (m, &t), EINVAL),
        "as FRIPP_TIMER_INIT it is one that was never started");
    t.t0 = UINT64_MAX;
    ok (fripp_timer_elapsed (&t) == 0.0, "one of the future: no negative "
        "time");
    m = fripp_metric_get (ctx, FRIPP_GAUGE, "g", NULL);
    ok (FAILS (fripp_metric_stop (m, &copy), EINVAL),
        "stop of a gauge: EINVAL");
    (void)flushed (ctx, server);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);

    test_overlapping ();
    return done_testing ();
}
