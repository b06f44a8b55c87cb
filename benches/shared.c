/* shared.c - two threads on one counter of other clients
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * As threads.c has it for the library: the time that two threads take for a
 * batch each, over the time that one takes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"

#define BATCH 100000L

static void (*run) (long n);
static volatile int waiting_for;

static void *worker (void *arg)
{
    uint64_t *times = arg;

    __atomic_sub_fetch (&waiting_for, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n (&waiting_for, __ATOMIC_SEQ_CST) > 0)
        ;
    times[0] = now_ns ();
    run (BATCH);
    times[1] = now_ns ();
    return NULL;
}

/* Returns the time from the first start to the last end.
 */
static double time_of (int threads)
{
    uint64_t times[2][2];
    uint64_t start = UINT64_MAX, end = 0;
    pthread_t ids[2];

    waiting_for = threads;
    for (int i = 0; i < threads; i++) {
        if (pthread_create (&ids[i], NULL, worker, times[i]) != 0)
            die ("pthread_create");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join (ids[i], NULL);
        start = times[i][0] < start ? times[i][0] : start;
        end = times[i][1] > end ? times[i][1] : end;
    }
    return (double)(end - start);
}

void shared_rows (void)
{
    static const struct {
        const char *key, *what, *subject;
    } peers[] = {
        { "shared.rylv_local", "two threads, rylv-metrics, thread-local, "
          "one counter", "rylv_local_add" },
        { "shared.rylv_shared", "two threads, rylv-metrics, shared, one "
          "counter", "rylv_shared_add" },
        { "shared.exporter", "two threads, metrics-exporter-dogstatsd, one "
          "counter", "exporter_add" },
        { "shared.prometheus", "two threads, Rust's prometheus, one counter",
          "prometheus_add" },
    };
    int rounds = rounds_of (50);
    double *ratios = calloc (rounds, sizeof (double));

    if (!ratios)
        die ("calloc");
    for (size_t i = 0; i < sizeof (peers) / sizeof (peers[0]); i++) {
        struct subject *s = subject (peers[i].subject);

        if (!is_there (s))
            continue;
        run = s->run;
        for (int round = 0; round < rounds; round++) {
            double alone = time_of (1);

            ratios[round] = time_of (2) / alone;
        }
        add_row ((struct row) { peers[i].key, peers[i].what, "one thread",
                                "x", spread_of (ratios, rounds), INFO, 0 });
    }
    free (ratios);
}
