/* sustained.c - timings that one process sends, none of them thinned
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Samples of 30 timers, as many of each as are kept in a period, are
 * recorded and flushed, again and again: samples a second by the clock, and
 * by the process' time. Another process receives.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <fripp.h>

#include "bench.h"

#define TIMERS 30
#define SAMPLES 30000L

static void record (struct fripp_metric **timers)
{
    for (long i = 0; i < SAMPLES; i++) {
        for (int t = 0; t < TIMERS; t++)
            fripp_metric_record (timers[t], 0.25 + i * 1e-6);
    }
}

static void flush (struct fripp_ctx *ctx)
{
    while (fripp_flush (ctx) < 0) {
        if (errno != EAGAIN)
            die ("fripp_flush");
    }
}

static void rows_of (const char *dialect, const char *clock_key,
                     const char *cpu_key, const char *what)
{
    int rounds = rounds_of (5);
    double *by_clock = calloc (rounds, sizeof (double));
    double *by_cpu = calloc (rounds, sizeof (double));
    struct fripp_metric *timers[TIMERS];
    struct fripp_stats stats;
    struct fripp_ctx *ctx;
    char text[100];

    snprintf (text, sizeof (text), "127.0.0.1:%d?period=3600&dialect=%s",
              reader_start (), dialect);
    ctx = fripp_ctx_create_uri (NULL, text);
    if (!ctx || !by_clock || !by_cpu)
        die ("fripp_ctx_create_uri");
    for (int t = 0; t < TIMERS; t++) {
        snprintf (text, sizeof (text), "flux.module.timer-%d", t);
        if (!(timers[t] = fripp_metric_get (ctx, FRIPP_TIMER, text, NULL)))
            die ("fripp_metric_get");
    }
    for (int round = -1; round < rounds; round++) {
        uint64_t start = now_ns (), cpu = cpu_ns ();

        record (timers);
        flush (ctx);
        if (round >= 0) {
            by_clock[round] = TIMERS * SAMPLES * 1e9 / (now_ns () - start);
            by_cpu[round] = TIMERS * SAMPLES * 1e9 / (cpu_ns () - cpu);
        }
    }
    if (fripp_get_stats (ctx, &stats, sizeof (stats)) < 0)
        die ("fripp_get_stats");
    if (stats.dropped > 0)
        lost++;
    add_row ((struct row) { clock_key, what, "", "samples a second",
                            spread_of (by_clock, rounds), AT_LEAST, 1e6 });
    add_row ((struct row) { cpu_key, what, "",
                            "samples a second of processor time",
                            spread_of (by_cpu, rounds), INFO, 0 });
    fripp_ctx_destroy (ctx);
    free (by_clock);
    free (by_cpu);
}

void sustained_rows (void)
{
    rows_of ("brubeck", "sustained.lines", "sustained.lines_cpu",
             "timings sustained, one a line");
    rows_of ("dogstatsd", "sustained.packed", "sustained.packed_cpu",
             "timings sustained, packed");
}
