/* Many threads, many values, several flushes: what a server adds up is what
 * was recorded, to the last one, and the stats say the same.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define THREADS 4
#define NAMES 50
#define INCREMENTS 250000     /* a thread */
#define TIMINGS 50000         /* of one name, a thread */
#define OTHERS 2500           /* of others, a thread */
#define GAUGES 8

struct worker {
    pthread_t thread;
    struct fripp_ctx *ctx;
    struct fripp_metric **counters;
    int id;
    int failed;
    int64_t sums[NAMES];
    double sum;
};

static char names[NAMES][32];
static atomic_int running;

/* A thread's numbers, the same each time.
 */
static unsigned int next (unsigned int *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void record_timing (struct worker *w, unsigned int *seed, int i)
{
    double ms = next (seed) % 1000 * 0.5;

    w->failed += fripp_timing (w->ctx, "busy", 2.5) != 0;
    if (i % (TIMINGS / OTHERS) == 0) {
        char name[32];

        snprintf (name, sizeof (name), "other.%u", next (seed) % 20);
        w->failed += fripp_timing (w->ctx, name, ms) != 0;
        w->sum += ms;
    }
}

static void *work (void *arg)
{
    struct worker *w = arg;
    unsigned int seed = (unsigned int)w->id + 1;
    char gauge[32];

    snprintf (gauge, sizeof (gauge), "gauge.%d", w->id);
    for (int i = 0; i < INCREMENTS; i++) {
        unsigned int n = next (&seed) % NAMES;
        int64_t by = i % 10 == 0 ? -3 : 2;

        /* by name and by handle, of the same metrics */
        if (i % 2)
            w->failed += fripp_inc (w->ctx, names[n], by) != 0;
        else
            w->failed += fripp_metric_add (w->counters[n], by) != 0;
        w->sums[n] += by;
        /* several flushes, however quick the machine is */
        if (w->id == 0 && i % (INCREMENTS / 5) == 0)
            (void)fripp_flush (w->ctx);
        if (i % (INCREMENTS / TIMINGS) == 0)
            record_timing (w, &seed, i / (INCREMENTS / TIMINGS));
        if (i % 100 == 0) {
            int64_t value = (int64_t)(next (&seed) % 2000) - 1000;

            w->failed += fripp_gauge (w->ctx, gauge, value, false) != 0;
            w->failed += fripp_gauge (w->ctx, "shared", i % 200 ? 3 : -5,
                                      true) != 0;
            w->failed += fripp_count (w->ctx, gauge, i) != 0;
        }
    }
    w->failed += fripp_gauge (w->ctx, gauge, -7 - w->id, false) != 0;
    w->failed += fripp_count (w->ctx, gauge, INCREMENTS) != 0;
    atomic_fetch_sub (&running, 1);
    return NULL;
}

static void check (struct reader *r, struct worker *workers)
{
    const struct reading *m;
    double values = 0;
    double sum = 0;
    double want = 0;
    int right = 0;
    char name[32];

    for (int n = 0; n < NAMES; n++) {
        int64_t recorded = 0;

        for (int i = 0; i < THREADS; i++)
            recorded += workers[i].sums[n];
        right += reader_get (r, names[n], "c")->sum == recorded;
    }
    is_int (right, NAMES, "1,000,000 increments of 50 names from 4 threads: "
            "each sum is right to the last one");
    for (int i = 0; i < 20; i++) {
        snprintf (name, sizeof (name), "other.%d", i);
        m = reader_get (r, name, "ms");
        values += m->values;
        sum += m->real_sum;
    }
    for (int i = 0; i < THREADS; i++)
        want += workers[i].sum;
    is_int (values, THREADS * OTHERS, "10,000 timings of others: all of "
            "them");
    ok (sum == want, "with their values: %.1f", sum);

    /* up, down and below zero, from one thread each and from all */
    right = 0;
    for (int i = 0; i < THREADS; i++) {
        snprintf (name, sizeof (name), "gauge.%d", i);
        right += reader_get (r, name, "g")->gauge == -7 - i;
    }
    is_int (right, THREADS, "gauges are what they were set to last");
    is_int (reader_get (r, "shared", "g")->gauge,
            THREADS * (INCREMENTS / 100) / 2 * (3 - 5),
            "a gauge of increments from all threads");
    right = 0;
    for (int i = 0; i < THREADS; i++) {
        snprintf (name, sizeof (name), "gauge.%d", i);
        right += reader_get (r, name, "c")->sum == INCREMENTS;
    }
    is_int (right, THREADS, "totals add up to the last one");
}

static void run (const char *query, enum fripp_dialect dialect, bool by_hand)
{
    struct reader *r = reader_create (dialect);
    struct worker *workers = calloc (THREADS, sizeof (*workers));
    struct fripp_metric *counters[NAMES];
    const struct reading *busy;
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    double off;
    int flushes = 0;
    int failed = 0;

    ctx = ctx_open_lossless (&server, "dialect=%s&%s", dialect_names[dialect],
                             query);
    listener_start (server);
    for (int i = 0; i < NAMES; i++)
        counters[i] = fripp_metric_get (ctx, FRIPP_COUNTER, names[i], NULL);
    running = THREADS;
    for (int i = 0; i < THREADS; i++) {
        workers[i].ctx = ctx;
        workers[i].counters = counters;
        workers[i].id = i;
        pthread_create (&workers[i].thread, NULL, work, &workers[i]);
    }
    while (by_hand && atomic_load (&running) > 0) {
        /* EAGAIN is no loss: the rest goes with the next one */
        (void)fripp_flush (ctx);
        flushes++;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    is_int (failed, 0, "%s: all calls are taken", query);
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_need (server, s.datagrams);
    fripp_ctx_destroy (ctx);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    if (by_hand)
        diag ("%d flushes while they ran", flushes);
    ok (!reader_bad (r), "each line reads");
    if (reader_bad (r))
        diag ("%s", reader_bad (r));

    check (r, workers);
    /* k is the largest of all flushes, each off by less than its own */
    busy = reader_get (r, "busy", "ms");
    off = fabs (busy->values - THREADS * TIMINGS);
    ok (off == 0 || (busy->lines < THREADS * TIMINGS
                     && off < THREADS * TIMINGS / 100),
        "200,000 timings of one name: %.0f in %zu lines", busy->values,
        busy->lines);
    ok (busy->min == 2.5 && busy->max == 2.5, "with their value");

    ok (s.lines == reader_lines (r) && s.datagrams == reader_datagrams (r)
        && s.bytes == reader_bytes (r), "fripp_get_stats agrees: %llu lines "
        "in %llu datagrams", (unsigned long long)s.lines,
        (unsigned long long)s.datagrams);
    ok (s.dropped == 0 && s.pending == 0, "nothing dropped, nothing pending");
    reader_destroy (r);
    listener_destroy (server);
    free (workers);
}

/* All in one period: thinned, within k.
 */
struct timings {
    pthread_t thread;
    struct fripp_ctx *ctx;
};

static void *time_it (void *arg)
{
    struct timings *t = arg;

    for (int i = 0; i < TIMINGS; i++)
        fripp_timing (t->ctx, "busy", 2.5);
    return NULL;
}

static void test_thinned (void)
{
    struct reader *r = reader_create (FRIPP_BRUBECK);
    struct timings timings[THREADS];
    const struct reading *busy;
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    double k;

    ctx = ctx_open_lossless (&server, NEVER);
    listener_start (server);
    for (int i = 0; i < THREADS; i++) {
        timings[i].ctx = ctx;
        pthread_create (&timings[i].thread, NULL, time_it, &timings[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join (timings[i].thread, NULL);
    for (int i = 0; i < 10000; i++) {
        char name[32];

        snprintf (name, sizeof (name), "other.%d", i % 100);
        fripp_timing (ctx, name, i);
    }
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_need (server, s.datagrams);
    fripp_ctx_destroy (ctx);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    busy = reader_get (r, "busy", "ms");
    k = 1 / busy->rate;
    ok (busy->lines <= 32768 && k > 1 && k == (double)(long)k,
        "200,000 timings of one name in a period: every %g-th is kept, "
        "%zu lines", k, busy->lines);
    ok (fabs (busy->values - THREADS * TIMINGS) <= k, "their number is right "
        "within k: %.0f", busy->values);
    {
        double values = 0;

        for (int i = 0; i < 100; i++) {
            char name[32];

            snprintf (name, sizeof (name), "other.%d", i);
            values += reader_get (r, name, "ms")->values;
        }
        is_int (values, 10000, "10,000 of others in the same period: all");
    }
    ok (s.lines == reader_lines (r) && s.bytes == reader_bytes (r)
        && s.dropped == 0, "fripp_get_stats agrees");
    reader_destroy (r);
    listener_destroy (server);
}

/* Calls while a setting is changed, or the name forgotten, all the time:
 * each falls on one side of it, once.
 */
enum change { PREFIX, DIALECT, PERIOD, FORGET };

#define CALLS 60000

static void *count_racing (void *arg)
{
    struct worker *w = arg;
    struct fripp_metric *m;

    m = fripp_metric_get (w->ctx, FRIPP_COUNTER, "n", NULL);
    for (int i = 0; i < CALLS; i++) {
        if (i % 2)
            w->failed += fripp_inc (w->ctx, "n", 1) != 0;
        else
            w->failed += fripp_metric_add (m, 1) != 0;
        if (i % 1000 == 0)
            w->failed += fripp_timing (w->ctx, "t", 1) != 0;
    }
    atomic_fetch_sub (&running, 1);
    return NULL;
}

static void change (struct fripp_ctx *ctx, enum change what, int i)
{
    switch (what) {
    case PREFIX:
        fripp_set_prefix (ctx, i % 2 ? "" : "p");
        break;
    case DIALECT:
        fripp_set_dialect (ctx, i % 2 ? FRIPP_STATSD : FRIPP_BRUBECK);
        break;
    case PERIOD:
        fripp_set_agg_period (ctx, i % 2 ? 0.01 : 3600);
        break;
    case FORGET:
        fripp_forget (ctx, "n");
        break;
    }
}

static void test_racing (enum change what, const char *name)
{
    struct reader *r = reader_create (FRIPP_BRUBECK);
    struct worker workers[3] = { 0 };
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    int failed = 0;
    int changes = 0;

    ctx = ctx_open_lossless (&server, NEVER);
    listener_start (server);
    running = 3;
    for (int i = 0; i < 3; i++) {
        workers[i].ctx = ctx;
        pthread_create (&workers[i].thread, NULL, count_racing, &workers[i]);
    }
    while (atomic_load (&running) > 0)
        change (ctx, what, changes++);
    for (int i = 0; i < 3; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_need (server, s.datagrams);
    fripp_ctx_destroy (ctx);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    is_int (failed, 0, "%s: all calls are taken", name);
    is_int (reader_get (r, "n", "c")->sum + reader_get (r, "p.n", "c")->sum,
            3 * CALLS, "%s: each is counted once, by changes: %d", name,
            changes);
    is_int (reader_get (r, "t", "ms")->values
            + reader_get (r, "p.t", "ms")->values, 3 * CALLS / 1000,
            "%s: so is each timing", name);
    ok (!reader_bad (r) && s.dropped == 0, "%s: in good lines", name);
    reader_destroy (r);
    listener_destroy (server);
}

int main (void)
{
    for (int i = 0; i < NAMES; i++)
        snprintf (names[i], sizeof (names[i]), "counter.%d", i);
    run ("period=0.01&refresh=0", FRIPP_STATSD, false);
    run ("period=0.01&mtu=8192&refresh=0", FRIPP_DOGSTATSD, false);
    run (NEVER, FRIPP_TELEGRAF, true);
    test_thinned ();
    test_racing (PREFIX, "fripp_set_prefix");
    test_racing (DIALECT, "fripp_set_dialect");
    test_racing (PERIOD, "fripp_set_agg_period");
    test_racing (FORGET, "fripp_forget");
    return done_testing ();
}
