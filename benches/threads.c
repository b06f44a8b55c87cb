/* threads.c - two threads on two metrics or one, and on two padded atomics
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What two threads take on one metric, each a batch, is told as a multiple of
 * what one takes for its own, or of what two take on one atomic.
 *
 * A speed-up is the time that one thread takes for a batch, twice, over the
 * time that two threads take for a batch each. Threads are bound to a
 * processor each, and start together. Wanted is the library's speed-up over
 * that of the atomics, of the same round.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <fripp.h>

#include "bench.h"

enum { ATOMIC, ADD, INC, TIMING, SHARED_ATOMIC, SHARED_ADD, SHARED_INC,
       SHARED_SET, SHARED_RECORD, KINDS };

#define BATCH 200000L
/* below the bound beyond which samples are thinned */
#define SAMPLES 20000L

static struct {
    uint64_t value __attribute__ ((aligned (128)));
} padded[2];
static struct fripp_ctx *ctx;
static struct fripp_metric *metrics[2];
static struct fripp_metric *shared_counter, *shared_gauge, *shared_timer;
static const char *names[2] = { "thread.a", "thread.b" };
static volatile int waiting_for;

struct worker {
    int kind;
    int number;
    pthread_t thread;
    uint64_t start;
    uint64_t end;
};

static void bind_to (int number)
{
    cpu_set_t may, one;
    int seen = 0;

    if (sched_getaffinity (0, sizeof (may), &may) < 0)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET (cpu, &may) && seen++ == number) {
            CPU_ZERO (&one);
            CPU_SET (cpu, &one);
            sched_setaffinity (0, sizeof (one), &one);
            return;
        }
    }
}

static void work (int kind, int number)
{
    uint64_t *value = &padded[number].value;
    struct fripp_metric *m = metrics[number];
    const char *name = names[number];

    switch (kind) {
        case ATOMIC:
            for (long i = 0; i < BATCH; i++)
                __atomic_fetch_add (value, 1, __ATOMIC_RELAXED);
            break;
        case ADD:
            for (long i = 0; i < BATCH; i++)
                fripp_metric_add (m, 1);
            break;
        case INC:
            for (long i = 0; i < BATCH; i++)
                fripp_inc (ctx, name, 1);
            break;
        case SHARED_ATOMIC:
            for (long i = 0; i < BATCH; i++)
                __atomic_fetch_add (&padded[0].value, 1, __ATOMIC_RELAXED);
            break;
        case SHARED_ADD:
            for (long i = 0; i < BATCH; i++)
                fripp_metric_add (shared_counter, 1);
            break;
        case SHARED_INC:
            for (long i = 0; i < BATCH; i++)
                fripp_inc (ctx, "shared", 1);
            break;
        case SHARED_SET:
            for (long i = 0; i < BATCH; i++)
                fripp_metric_set (shared_gauge, i);
            break;
        case SHARED_RECORD:
            for (long i = 0; i < SAMPLES / 2; i++)
                fripp_metric_record (shared_timer, 0.25);
            break;
        default:
            for (long i = 0; i < SAMPLES; i++)
                fripp_timing (ctx, name, 0.25);
    }
}

static void *worker_run (void *arg)
{
    struct worker *w = arg;

    bind_to (w->number);
    __atomic_sub_fetch (&waiting_for, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n (&waiting_for, __ATOMIC_SEQ_CST) > 0)
        ;
    w->start = now_ns ();
    work (w->kind, w->number);
    w->end = now_ns ();
    return NULL;
}

static void flush (void)
{
    while (fripp_flush (ctx) < 0)
        ;
}

/* Returns the time from the first start to the last end.
 */
static double time_of (int kind, int threads)
{
    struct worker workers[2];
    uint64_t start = UINT64_MAX, end = 0;

    /* the memory for samples is that of the last period: two metrics that are
     * in use alike
     */
    if (kind == TIMING) {
        for (int i = 0; i < 2; i++)
            work (kind, i);
        flush ();
    }
    waiting_for = threads;
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){ .kind = kind, .number = i };
        if (pthread_create (&workers[i].thread, NULL, worker_run,
                            &workers[i]) != 0)
            die ("pthread_create");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join (workers[i].thread, NULL);
        start = workers[i].start < start ? workers[i].start : start;
        end = workers[i].end > end ? workers[i].end : end;
    }
    if (kind == TIMING || kind == SHARED_RECORD)
        flush ();
    return (double)(end - start);
}

void thread_rows (void)
{
    static const struct {
        const char *key, *what;
        enum sense sense;
    } rows[KINDS] = {
        [ADD] = { "threads.metric_add", "two threads, fripp_metric_add",
                  AT_LEAST },
        [INC] = { "threads.inc", "two threads, fripp_inc", AT_LEAST },
        [TIMING] = { "threads.timing", "two threads, fripp_timing",
                     AT_LEAST },
        [SHARED_ATOMIC] = { "threads.shared_atomic",
                            "two threads on one atomic", INFO },
        [SHARED_ADD] = { "threads.shared_add", "two threads on one counter",
                         AT_MOST },
        [SHARED_INC] = { "threads.shared_inc",
                         "two threads on one counter, by name", AT_MOST },
        [SHARED_SET] = { "threads.shared_set", "two threads on one gauge",
                         AT_MOST },
        [SHARED_RECORD] = { "threads.shared_record",
                            "two threads on one timer", AT_MOST },
    };
    int rounds = rounds_of (50);
    double *ratios[KINDS];
    double *speedup = calloc (rounds, sizeof (double));
    double *atomic = calloc (rounds, sizeof (double));

    ctx = fripp_ctx_create (NULL, "127.0.0.1", reader_start ());
    if (!ctx || !speedup || !atomic)
        die ("fripp_ctx_create");
    for (int i = 0; i < 2; i++) {
        metrics[i] = fripp_metric_get (ctx, FRIPP_COUNTER, names[i], NULL);
        fripp_timing (ctx, names[i], 1);
    }
    shared_counter = fripp_metric_get (ctx, FRIPP_COUNTER, "shared", NULL);
    shared_gauge = fripp_metric_get (ctx, FRIPP_GAUGE, "shared", NULL);
    shared_timer = fripp_metric_get (ctx, FRIPP_TIMER, "shared", NULL);
    if (!shared_counter || !shared_gauge || !shared_timer)
        die ("fripp_metric_get");
    for (int kind = 0; kind < KINDS; kind++) {
        if (!(ratios[kind] = calloc (rounds, sizeof (double))))
            die ("calloc");
    }
    /* a flush finds out that threads take turns on a counter */
    time_of (SHARED_ADD, 2);
    flush ();
    for (int round = 0; round < rounds; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            double alone = time_of (kind, 1), both = time_of (kind, 2);

            ratios[kind][round] = kind < SHARED_ATOMIC ? 2 * alone / both
                                                       : both / alone;
            if (kind == SHARED_ATOMIC)
                atomic[round] = both;
            if (kind == SHARED_SET)
                ratios[kind][round] = both / atomic[round];
        }
        speedup[round] = ratios[ATOMIC][round];
        for (int kind = ADD; kind < SHARED_ATOMIC; kind++)
            ratios[kind][round] /= speedup[round];
    }
    add_row ((struct row) { "threads.atomics", "two threads, two padded "
                            "atomics", "one thread", "x",
                            spread_of (speedup, rounds), INFO, 0 });
    for (int kind = ADD; kind < KINDS; kind++) {
        const char *of = kind < SHARED_ATOMIC
                         ? "the speed-up of two padded atomics"
                         : kind == SHARED_SET ? "two threads on one atomic"
                                              : "one thread";
        double goal = kind < SHARED_ATOMIC ? 0.9
                      : kind < SHARED_SET ? 1.4 : 1.2;

        add_row ((struct row) { rows[kind].key, rows[kind].what, of, "x",
                                spread_of (ratios[kind], rounds),
                                rows[kind].sense, goal });
        free (ratios[kind]);
    }
    free (ratios[ATOMIC]);
    free (speedup);
    free (atomic);
    fripp_ctx_destroy (ctx);
}
