/* Names that come and go: what is forgotten gives its memory back, nothing is
 * lost or counted for another name, and to forget takes no time whatever the
 * number of metrics, or of their values. With an argument, so many names.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
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

static int record (struct fripp_ctx *ctx, const char *name, long i)
{
    switch (i % 6) {
    case 0:
        return fripp_inc (ctx, name, 1);
    case 1:
        return fripp_count (ctx, name, 1);
    case 2:
        return fripp_gauge (ctx, name, i, false);
    case 3:
        return fripp_timing (ctx, name, 1);
    case 4:
        return fripp_histogram (ctx, name, 1);
    default:
        return fripp_unique (ctx, name, "m");
    }
}

static void name_of (char *buf, size_t size, long i)
{
    /* every third does not fit into 40 bytes */
    snprintf (buf, size, "%s.%ld", i % 3 ? "job" : "a.job.with.a.name.that."
              "is.longer.than.most.of.them", i);
}

/* 500 names at a time, of 1,000 that there may be.
 */
static void test_flat (long names)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (server, "dialect=statsd"
                                      "&max_metrics=1000&period=0.1");
    long kib = 0;
    int failed = 0;
    double since = now_ms ();

    listener_start (server);
    for (long i = 0; i < names + 500; i++) {
        char name[100];

        name_of (name, sizeof (name), i);
        if (i < names)
            failed += record (ctx, name, i) != 0;
        name_of (name, sizeof (name), i - 500);
        if (i >= 500)
            failed += fripp_forget (ctx, name) != 0;
        /* the listener keeps what it receives */
        if (i % 1000 == 0)
            listener_clear (server);
        if (i == names / 4)
            kib = resident_kib ();
    }
    kib = resident_kib () - kib;
    listener_stop (server);
    is_int (failed, 0, "%ld names come and go, of 1,000 that there may be",
            names);
    ok (kib < 4096, "the memory stays as it is");
    diag ("%ld KiB more than after a quarter of them, %.0f ns a name", kib,
          (now_ms () - since) * 1e6 / names);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* Each thread has its own names; all have their sums at the end.
 */
#define THREADS 4
#define ROUNDS 3000

struct worker {
    pthread_t thread;
    struct fripp_ctx *ctx;
    int number;
    int failed;
};

static void *work (void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < ROUNDS; i++) {
        char name[32];

        /* ten names, each again and again */
        snprintf (name, sizeof (name), "w%d.%d", w->number, i % 10);
        for (int j = 0; j < 3; j++)
            w->failed += fripp_inc (w->ctx, name, 1) != 0;
        w->failed += fripp_timing (w->ctx, name, 1) != 0;
        w->failed += fripp_forget (w->ctx, name) != 0;
    }
    return NULL;
}

static void test_threads (void)
{
    struct reader *r = reader_create (FRIPP_STATSD);
    struct worker workers[THREADS];
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    int failed = 0;
    int right = 0;

    ctx = ctx_open_lossless (&server, "dialect=statsd&period=0.01");
    listener_start (server);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .ctx = ctx, .number = i };
        pthread_create (&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    flush_all (ctx);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (server, stats.datagrams);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    for (int i = 0; i < THREADS * 10; i++) {
        char name[32];

        snprintf (name, sizeof (name), "w%d.%d", i / 10, i % 10);
        right += reader_get (r, name, "c")->sum == ROUNDS / 10 * 3
                 && reader_get (r, name, "ms")->values == ROUNDS / 10;
    }
    is_int (failed, 0, "%d threads record and forget", THREADS);
    is_int (right, THREADS * 10, "each name has what was recorded by it");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    reader_destroy (r);
}

/* What a handle records is not another's, whatever is forgotten.
 */
static void test_handles (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
    struct fripp_metric *m;

    fripp_forget (ctx, "nobody");
    fripp_inc (ctx, "a", 1);
    m = fripp_metric_get (ctx, FRIPP_COUNTER, "a", NULL);
    fripp_metric_add (m, 1);
    is_str (flushed (ctx, server), "a:2|c", "a name becomes a handle");
    fripp_forget (ctx, "a");
    for (int i = 0; i < 10; i++) {
        char name[8];

        snprintf (name, sizeof (name), "b%d", i);
        fripp_inc (ctx, name, 1);
        fripp_forget (ctx, name);
    }
    (void)arrived (ctx, server);
    fripp_inc (ctx, "c", 1);
    fripp_metric_add (m, 5);
    fripp_inc (ctx, "a", 1);
    is_str (flushed (ctx, server), "a:6|c\nc:1|c", "forgotten, it records "
            "again; other names are not its");
    ok (fripp_metric_get (ctx, FRIPP_COUNTER, "a", NULL) == m, "it is the "
        "same handle");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

static void test_quick (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    double longest = 0;
    double total = 0;

    for (int i = 0; i < 200000; i++) {
        char name[32];
        char tags[32];

        snprintf (name, sizeof (name), "n%d", i / 4);
        snprintf (tags, sizeof (tags), "k:%d", i % 4);
        must (fripp_metric_get (ctx, FRIPP_GAUGE, name, tags) != NULL);
    }
    for (int i = 0; i < 1000; i++) {
        struct meter meter;
        char name[32];
        double took;

        snprintf (name, sizeof (name), "n%d", i * 7);
        meter_start (&meter);
        must (fripp_forget (ctx, name) == 0);
        took = meter_stop (&meter);
        total += took;
        longest = took > longest ? took : longest;
    }
    ok (total / 1000 < 0.05, "of 200,000 metrics with tags, a name's are "
        "forgotten in microseconds");
    diag ("%.2f us, the longest %.1f", total, longest * 1000);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* Names with very many samples or members: turns send them. To forget one
 * is to be short in one try of several: the machine may be busy.
 */
#define VALUES 150000
#define TRIES 5
#define SHORT 0.5

static int record_many (struct fripp_ctx *ctx, const char *name, bool is_set,
                        int first, int last)
{
    char member[32];
    int failed = 0;

    for (int i = first; i <= last; i++) {
        snprintf (member, sizeof (member), "member.%d", i);
        failed += (is_set ? fripp_unique (ctx, name, member)
                   : fripp_timing (ctx, name, i)) != 0;
    }
    return failed;
}

/* How many lines there are, and how many of them are as they were recorded,
 * and were not there before.
 */
static long look (struct listener *server, bool is_set, int *right)
{
    static bool seen[TRIES][VALUES + 1];
    const char *form = is_set ? "n%d:member.%d|s" : "n%d:%d|ms";
    char *text = listener_text (server);
    long lines = 0;

    memset (seen, 0, sizeof (seen));
    for (char *rest = text, *line; (line = strsep (&rest, "\n")) && rest;) {
        int n;
        int value;

        lines++;
        if (sscanf (line, form, &n, &value) == 2 && n < TRIES
            && value <= VALUES && !seen[n][value]) {
            seen[n][value] = true;
            (*right)++;
        }
    }
    free (text);
    return lines;
}

static void test_many_values (bool is_set)
{
    const char *what = is_set ? "members" : "samples";
    struct listener *server;
    struct fripp_ctx *ctx = ctx_open_lossless (&server, NEVER
                                               "&dialect=statsd"
                                               "&max_samples=1000000"
                                               "&buffer=67108864");
    struct fripp_stats stats;
    double least = 1e9;
    int failed = 0;
    int right = 0;

    listener_start (server);
    for (int i = 0; i < TRIES; i++) {
        double took;
        char name[16];

        snprintf (name, sizeof (name), "n%d", i);
        failed += record_many (ctx, name, is_set, 0, VALUES - 1);
        took = worked_ms ();
        failed += fripp_forget (ctx, name) != 0;
        took = worked_ms () - took;
        least = took < least ? took : least;
        /* another one, that may be where it was, and a new one of its name */
        failed += record_many (ctx, "other", is_set, i, i);
        failed += record_many (ctx, name, is_set, VALUES, VALUES);
        flush_all (ctx);
    }
    is_int (failed, 0, "names with %d %s are forgotten", VALUES, what);
    ok (least < SHORT, "that takes microseconds");
    diag ("%.3f ms", least);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (server, stats.datagrams);
    listener_stop (server);
    is_int ((long long)stats.dropped, 0, "nothing is dropped");
    is_int (look (server, is_set, &right), TRIES * (VALUES + 2),
            "nothing is sent twice");
    is_int (right, TRIES * (VALUES + 1), "each name has all of its %s", what);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* A set that grows.
 */
static void test_many_members (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    double least = 1e9;
    int failed = 0;

    for (int i = 0; i < TRIES; i++) {
        struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
        double longest = 0;

        for (int j = 0; j < VALUES; j++) {
            char member[32];
            double took;

            snprintf (member, sizeof (member), "member.%d", j);
            took = worked_ms ();
            failed += fripp_unique (ctx, "set", member) != 0;
            took = worked_ms () - took;
            longest = took > longest ? took : longest;
        }
        least = longest < least ? longest : least;
        fripp_ctx_destroy (ctx);
    }
    ok (failed == 0 && least < SHORT, "to record one of %d members is short",
        VALUES);
    diag ("%.3f ms", least);
    listener_destroy (server);
}

int main (int argc, char **argv)
{
    test_flat (argc > 1 ? atol (argv[1]) : 200000);
    test_threads ();
    test_handles ();
    test_quick ();
    test_many_values (false);
    test_many_values (true);
    test_many_members ();
    return done_testing ();
}
