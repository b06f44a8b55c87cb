/* holds.c - the longest that a call, or a turn of a reactor, holds its caller
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * With 100,000 metrics. Each call is timed by itself, and the longest of a
 * round is taken; shown is the median of the rounds. A call during which the
 * kernel gave the processor to somebody else without being asked (the
 * involuntary switches of getrusage () tell) is left out: that is not the
 * library's doing, while waiting for a lock of it is, and stays. The longest
 * turn of a loop that does nothing stands beside it: that much is the
 * machine's.
 *
 * The reactor is played by the functions below, which the library finds in
 * this program as it would in a broker.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <fripp.h>

#include "bench.h"

#define N 100000L

static char (*names)[48];
static struct fripp_ctx *ctx;
static int port;

/* -- a stand-in for a broker's reactor ------------------------------------- */

typedef void (*callback_f) (void *reactor, void *watcher, int revents,
                            void *arg);
static struct {
    callback_f callback;
    void *arg;
    double after;
} timer;

#define VISIBLE __attribute__ ((visibility ("default"), used))

VISIBLE int flux_get_rank (void *h, uint32_t *rank);
VISIBLE void *flux_get_reactor (void *h);
VISIBLE void *flux_timer_watcher_create (void *r, double after, double repeat,
                                         callback_f callback, void *arg);
VISIBLE void flux_timer_watcher_reset (void *w, double after, double repeat);
VISIBLE void flux_watcher_start (void *w);
VISIBLE void flux_watcher_stop (void *w);
VISIBLE void flux_watcher_destroy (void *w);
VISIBLE void flux_watcher_unref (void *w);
VISIBLE int (flux_log) (void *h, int level, const char *fmt, ...);

int flux_get_rank (void *h, uint32_t *rank)
{
    (void)h;
    *rank = 0;
    return 0;
}

void *flux_get_reactor (void *h)
{
    return h;
}

void *flux_timer_watcher_create (void *r, double after, double repeat,
                                 callback_f callback, void *arg)
{
    (void)r;
    (void)repeat;
    timer.callback = callback;
    timer.arg = arg;
    timer.after = after;
    return &timer;
}

void flux_timer_watcher_reset (void *w, double after, double repeat)
{
    (void)w;
    (void)repeat;
    timer.after = after;
}

void flux_watcher_start (void *w) { (void)w; }
void flux_watcher_stop (void *w) { (void)w; }
void flux_watcher_destroy (void *w) { (void)w; }
void flux_watcher_unref (void *w) { (void)w; }

int (flux_log) (void *h, int level, const char *fmt, ...)
{
    (void)h;
    (void)level;
    fprintf (stderr, "flux_log: %s\n", fmt);
    return 0;
}

/* -- calls --------------------------------------------------------------- */

static void call_nothing (long i)
{
    (void)i;
    __asm__ volatile ("");
}

static void call_make (long i)
{
    if (i == 0) {
        fripp_ctx_destroy (ctx);
        ctx = fripp_ctx_create (NULL, "127.0.0.1", port);
    }
    else
        fripp_inc (ctx, names[i], 1);
}

static void call_inc (long i) { fripp_inc (ctx, names[i], 1); }
static void call_gauge (long i) { fripp_gauge (ctx, names[i], i, false); }
static void call_timing (long i)
{
    /* of 100,000 a second no metric has more than are kept */
    fripp_timing (ctx, names[i % 1000], 0.25);
}

static void call_packet (long i)
{
    if (i % 100 == 0)
        fripp_format_send (ctx, "flux.packet:%ld|c", i);
    else if (i % 100 == 50)
        fripp_packet_appendf (ctx, "flux.packet:%ld|c", i);
}

static void call_stats (long i)
{
    struct fripp_stats stats;

    if (i % 100 == 0)
        fripp_get_stats (ctx, &stats, sizeof (stats));
}

static void call_forget (long i)
{
    if (i % 100 == 0)
        fripp_forget (ctx, names[i]);
    else
        fripp_inc (ctx, names[i], 1);
}

static void call_prefix (long i)
{
    static int turn;

    if (i == N / 2)
        fripp_set_prefix (ctx, turn++ % 2 ? "a" : "b");
    else
        fripp_inc (ctx, names[i], 1);
}

/* Shorter ones are not asked whether the thread was preempted. */
#define SHORT 50000

/* Whether the thread was preempted since the last time.
 */
static bool was_preempted (void)
{
    static long before;
    struct rusage usage;
    bool was;

    if (getrusage (RUSAGE_THREAD, &usage) < 0)
        die ("getrusage");
    was = usage.ru_nivcsw != before;
    before = usage.ru_nivcsw;
    return was;
}

/* Returns the longest of N calls, in ms. The first does what is not measured.
 */
static double longest (void (*call) (long i))
{
    uint64_t max = 0;
    uint64_t before;

    call (0);
    was_preempted ();
    before = now_ns ();
    for (long i = 1; i < N; i++) {
        uint64_t after;

        call (i);
        after = now_ns ();
        if (after - before > max
            && (after - before < SHORT || !was_preempted ()))
            max = after - before;
        before = after - before < SHORT ? after : now_ns ();
    }
    return max / 1e6;
}

/* -- turns of the reactor ------------------------------------------------- */

static double longest_turn (struct fripp_ctx *on_reactor)
{
    uint64_t max = 0;

    for (long i = 0; i < N; i++)
        fripp_inc (on_reactor, names[i], 1 + i);
    was_preempted ();
    for (;;) {
        uint64_t start = now_ns ();
        uint64_t took;

        timer.after = 1;
        timer.callback (&timer, &timer, 0, timer.arg);
        took = now_ns () - start;
        if (took > max && (took < SHORT || !was_preempted ()))
            max = took;
        if (timer.after >= 0.5)
            return max / 1e6;
    }
}

void hold_rows (void)
{
    static const struct {
        const char *key, *what;
        void (*call) (long i);
        enum sense sense;
    } calls[] = {
        { "longest.nothing", "longest turn of an empty loop", call_nothing,
          INFO },
        { "longest.make", "longest call that makes a metric", call_make,
          AT_MOST },
        { "longest.inc", "longest fripp_inc", call_inc, AT_MOST },
        { "longest.gauge", "longest fripp_gauge", call_gauge, AT_MOST },
        { "longest.timing", "longest fripp_timing", call_timing, AT_MOST },
        { "longest.packet", "longest fripp_format_send, _appendf",
          call_packet, AT_MOST },
        { "longest.stats", "longest fripp_get_stats", call_stats, AT_MOST },
        { "longest.forget", "longest fripp_forget", call_forget, AT_MOST },
        { "longest.prefix", "longest fripp_set_prefix", call_prefix,
          AT_MOST },
    };
    enum { COUNT = sizeof (calls) / sizeof (calls[0]) };
    int rounds = rounds_of (12);
    double *values = calloc ((COUNT + 1) * rounds, sizeof (double));
    struct fripp_ctx *on_reactor;

    port = reader_start ();
    names = calloc (N, sizeof (*names));
    ctx = fripp_ctx_create (NULL, "127.0.0.1", port);
    on_reactor = fripp_ctx_create ((void *)&timer, "127.0.0.1", port);
    if (!ctx || !on_reactor || !names || !values)
        die ("fripp_ctx_create");
    for (long i = 0; i < N; i++)
        snprintf (names[i], sizeof (names[i]), "flux.metric.%ld.events", i);
    longest (call_make);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++)
            values[i * rounds + round] = longest (calls[i].call);
        values[COUNT * rounds + round] = timer.callback
                                         ? longest_turn (on_reactor) : 0;
    }
    for (int i = 0; i < COUNT; i++)
        add_row ((struct row) { calls[i].key, calls[i].what, "100,000 metrics",
                                "ms", spread_of (values + i * rounds, rounds),
                                calls[i].sense, 1 });
    if (timer.callback)
        add_row ((struct row) { "longest.turn",
                                "longest turn on a reactor",
                                "100,000 metrics", "ms",
                                spread_of (values + COUNT * rounds, rounds),
                                AT_MOST, 1 });
    fripp_ctx_destroy (on_reactor);
    fripp_ctx_destroy (ctx);
    free (names);
    free (values);
}
