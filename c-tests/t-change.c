/* A change of settings while many metrics have something pending: each call
 * is short, what was recorded before goes by the old name and what comes after
 * it by the new one, and what waits stays within the buffer.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"

#define MANY 200000
#define PREFIXES 3
/* Of processor time (ms): 1 is promised, on a machine that does not take it
 * away meanwhile.
 */
#define HOLD 3

static int64_t sums[PREFIXES][MANY];
static long lines_read;
static double longest;

/* The call, whose processor time counts.
 */
#define TIMED(call) (begun = worked_ms (), timed_end (call))

static double begun;

static int timed_end (int rc)
{
    double took = worked_ms () - begun;

    if (took > longest)
        longest = took;
    return rc;
}

/* Adds up what arrived: "pP.nN:SUM|c". The number of lines that look otherwise.
 */
static int add_up (struct listener *server)
{
    char *text = listener_text (server);
    int bad = 0;

    memset (sums, 0, sizeof (sums));
    lines_read = 0;
    for (char *rest = text, *line; (line = strsep (&rest, "\n")) && rest;) {
        int prefix;
        int n;
        int64_t sum;

        lines_read++;
        if (sscanf (line, "p%d.n%d:%" SCNd64 "|c", &prefix, &n, &sum) == 3
            && prefix < PREFIXES && n < MANY)
            sums[prefix][n] += sum;
        else
            bad++;
    }
    free (text);
    return bad;
}

static void receive_all (struct fripp_ctx *ctx, struct listener *server)
{
    struct fripp_stats stats;

    flush_all (ctx);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (server, stats.datagrams);
    listener_stop (server);
}

static struct fripp_metric **get_all (struct fripp_ctx *ctx, int count)
{
    struct fripp_metric **all = calloc ((size_t)count, sizeof (*all));
    char name[32];

    must (all != NULL);
    for (int i = 0; i < count; i++) {
        snprintf (name, sizeof (name), "n%d", i);
        if (!(all[i] = fripp_metric_get (ctx, FRIPP_COUNTER, name, NULL)))
            bail_out ("no metric");
    }
    return all;
}

static void test_short (void)
{
    struct listener *server;
    struct fripp_ctx *ctx = ctx_open_lossless (&server, NEVER "&prefix=p0");
    struct fripp_metric **all = get_all (ctx, MANY);
    int failed = 0;
    int right = 0;

    listener_start (server);
    for (int i = 0; i < MANY; i++)
        failed += fripp_metric_add (all[i], 1) != 0;
    longest = 0;
    failed += TIMED (fripp_set_prefix (ctx, "p1")) != 0;
    ok (longest < HOLD, "fripp_set_prefix () with %d pending metrics is short",
        MANY);
    diag ("%.3f ms", longest);
    /* both ends, so that the turns have not come to one of them */
    for (int i = 0; i < 100; i++) {
        failed += TIMED (fripp_metric_add (all[i], 10)) != 0;
        failed += TIMED (fripp_metric_add (all[MANY - 1 - i], 10)) != 0;
    }
    failed += TIMED (fripp_set_prefix (ctx, "p2")) != 0;
    for (int i = 0; i < 50; i++) {
        failed += TIMED (fripp_metric_add (all[i], 100)) != 0;
        failed += TIMED (fripp_metric_add (all[MANY - 1 - i], 100)) != 0;
    }
    ok (longest < HOLD, "so is what is recorded then, and the next change");
    diag ("%.3f ms", longest);
    is_int (failed, 0, "all calls are taken");
    receive_all (ctx, server);
    is_int (add_up (server), 0, "all lines are of these prefixes");
    for (int i = 0; i < MANY; i++) {
        int end = i < MANY / 2 ? i : MANY - 1 - i;

        right += sums[0][i] == 1 && sums[1][i] == (end < 100 ? 10 : 0)
                 && sums[2][i] == (end < 50 ? 100 : 0);
    }
    is_int (right, MANY, "each is counted by the name that it had");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    free (all);
}

/* More changes than the library gets done meanwhile.
 */
static void test_many_changes (void)
{
    struct listener *server;
    struct fripp_ctx *ctx = ctx_open_lossless (&server, NEVER "&prefix=p0");
    struct fripp_metric **all = get_all (ctx, MANY);
    int64_t want[PREFIXES] = { MANY };
    int64_t got[PREFIXES] = { 0 };
    struct fripp_stats stats;
    int failed = 0;

    listener_start (server);
    for (int i = 0; i < MANY; i++)
        failed += fripp_metric_add (all[i], 1) != 0;
    longest = 0;
    for (int i = 1; i < 300; i++) {
        char prefix[] = { 'p', (char)('0' + i % PREFIXES), '\0' };

        failed += TIMED (fripp_set_prefix (ctx, prefix)) != 0;
        for (int j = 0; j < 10; j++)
            failed += TIMED (fripp_metric_add (all[(i * 7919 + j * 17)
                                                   % MANY], 1)) != 0;
        want[i % PREFIXES] += 10;
    }
    ok (longest < HOLD, "300 changes one after the other: each is short");
    diag ("%.3f ms", longest);
    is_int (failed, 0, "all calls are taken");
    receive_all (ctx, server);
    is_int (add_up (server), 0, "all lines are of these prefixes");
    for (int p = 0; p < PREFIXES; p++)
        for (int i = 0; i < MANY; i++)
            got[p] += sums[p][i];
    ok (!memcmp (got, want, sizeof (want)), "each prefix has its sum");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    is_int ((long long)stats.dropped, 0, "nothing is dropped");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    free (all);
}

/* Threads that record meanwhile, by name and by handle.
 */
#define THREADS 4
#define RACING 5000

struct worker {
    pthread_t thread;
    struct fripp_ctx *ctx;
    struct fripp_metric **all;
    int failed;
};

static atomic_int working;

static void *work (void *arg)
{
    struct worker *w = arg;
    char name[32];

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < RACING; i++) {
            snprintf (name, sizeof (name), "n%d", i);
            w->failed += (i % 2 ? fripp_metric_add (w->all[i], 1)
                          : fripp_inc (w->ctx, name, 1)) != 0;
        }
    }
    atomic_fetch_sub (&working, 1);
    return NULL;
}

static void test_racing (void)
{
    struct listener *server;
    struct fripp_ctx *ctx = ctx_open_lossless (&server, "period=0.01"
                                               "&refresh=0&prefix=p0");
    struct fripp_metric **all = get_all (ctx, RACING);
    struct worker workers[THREADS];
    int failed = 0;
    int right = 0;
    int changes = 0;

    listener_start (server);
    atomic_store (&working, THREADS);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .ctx = ctx, .all = all };
        pthread_create (&workers[i].thread, NULL, work, &workers[i]);
    }
    for (; atomic_load (&working) > 0; changes++) {
        char prefix[] = { 'p', (char)('0' + changes % PREFIXES), '\0' };

        failed += fripp_set_prefix (ctx, prefix) != 0;
        if (changes % 16 == 0)
            failed += fripp_set_agg_period (ctx, changes % 32 ? 0.01 : 0.02)
                      != 0;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    receive_all (ctx, server);
    is_int (failed, 0, "threads record while the prefix changes");
    is_int (add_up (server), 0, "all lines are of these prefixes");
    for (int i = 0; i < RACING; i++)
        right += sums[0][i] + sums[1][i] + sums[2][i] == THREADS * 20;
    is_int (right, RACING, "each increment is counted once");
    diag ("%d changes", changes);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    free (all);
}

/* A small buffer, and nobody there: what does not fit is dropped, counted and
 * told.
 */
#define BUFFER 4096

static void test_buffer (void)
{
    static const char uri[] = "@fripp-test-change";
    struct listener *server = listen_unix (uri);
    struct fripp_ctx *ctx;
    struct fripp_metric **all;
    struct logbook book = { 0 };
    struct fripp_stats stats;
    uint64_t most = 0;
    int told = 0;
    char name[32];

    listener_drop (server);
    ctx = fripp_ctx_create_uri (NULL, "unix:@fripp-test-change?" NEVER
                                "&buffer=4096&prefix=p0&dialect=statsd");
    fripp_set_log (ctx, logbook_write, &book);
    all = get_all (ctx, 10000);
    for (int round = 1; round < 4; round++) {
        for (int i = 0; i < 10000; i++)
            fripp_metric_add (all[i], 1);
        snprintf (name, sizeof (name), "p%d", round % PREFIXES);
        fripp_set_prefix (ctx, name);
        for (int i = 0; i < 10; i++) {
            fripp_metric_add (all[i], 1);
            fripp_get_stats (ctx, &stats, sizeof (stats));
            if (stats.pending > most)
                most = stats.pending;
        }
    }
    for (int i = 0; i < 10000; i++) {
        snprintf (name, sizeof (name), "n%d", i);
        fripp_forget (ctx, name);
        fripp_get_stats (ctx, &stats, sizeof (stats));
        if (stats.pending > most)
            most = stats.pending;
    }
    ok (most > 1000 && most <= BUFFER, "prefixes change and names are "
        "forgotten: what waits stays within the buffer");
    diag ("%" PRIu64 " bytes", most);
    for (int i = 0; i < logbook_count (&book) && i < LOGBOOK_MAX; i++)
        told += strstr (book.text[i], "are dropped") != NULL;
    ok (told > 0, "that something is dropped is told");
    listener_reopen (server);
    listener_start (server);
    receive_all (ctx, server);
    is_int (add_up (server), 0, "all lines are of these prefixes");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    is_int ((long long)(stats.lines + stats.dropped), 30010,
            "each line arrives, or is counted as dropped");
    is_int (lines_read, (long long)stats.lines, "those that were sent arrive");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    free (all);
}

/* Samples that need most of the buffer: the memory that others do not use is
 * given back, in turns.
 */
static void test_tight (void)
{
    struct listener *server;
    struct fripp_ctx *ctx = ctx_open_lossless (&server, NEVER
                                               "&dialect=dogstatsd"
                                               "&buffer=4096");
    char tag[32];
    int failed = 0;

    listener_start (server);
    for (int i = 0; i < 300000; i++) {
        snprintf (tag, sizeof (tag), "k:%d", i);
        failed += !fripp_metric_get (ctx, FRIPP_TIMER, "t", tag);
    }
    longest = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            failed += fripp_timing (ctx, "t", i) != 0;
        failed += TIMED (fripp_flush (ctx)) != 0;
    }
    is_int (failed, 0, "300,000 timers with a small buffer");
    ok (longest < HOLD, "a flush that ends with a tight buffer is short");
    diag ("%.3f ms", longest);
    longest = 0;
    failed = TIMED (fripp_set_dialect (ctx, FRIPP_TELEGRAF)) != 0;
    ok (failed == 0 && longest < HOLD, "so is a change of the dialect, with "
        "as many tags to look at");
    diag ("%.3f ms", longest);
    longest = 0;
    failed = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf (tag, sizeof (tag), "other%d", i);
        failed += !fripp_metric_get (ctx, FRIPP_COUNTER, tag, "k:v");
        failed += TIMED (fripp_forget (ctx, tag)) != 0;
    }
    ok (failed == 0 && longest < HOLD, "and fripp_forget ()");
    diag ("%.3f ms", longest);
    listener_stop (server);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* Timers and sets with many values: a call that records one of them by its
 * new name leaves it to turns to send them.
 */
#define VALUES 100000
#define TIMERS 4

static void test_many_values (void)
{
    static int lines[2][TIMERS + 1];
    struct listener *server;
    struct fripp_ctx *ctx = ctx_open_lossless (&server, NEVER "&prefix=p0"
                                               "&dialect=statsd"
                                               "&max_samples=1000000"
                                               "&buffer=67108864");
    struct fripp_stats stats;
    double least = 1e9;
    char *received;
    char text[32];
    int failed = 0;
    int right = 0;

    listener_start (server);
    for (int i = 0; i < VALUES; i++) {
        for (int j = 0; j < TIMERS; j++) {
            snprintf (text, sizeof (text), "n%d", j);
            failed += fripp_timing (ctx, text, i) != 0;
        }
        snprintf (text, sizeof (text), "member.%d", i);
        failed += fripp_unique (ctx, "n4", text) != 0;
    }
    failed += fripp_set_prefix (ctx, "p1") != 0;
    for (int j = TIMERS - 1; j >= 0; j--) {
        snprintf (text, sizeof (text), "n%d", j);
        longest = 0;
        failed += TIMED (fripp_timing (ctx, text, 1)) != 0;
        /* but for the first, which the change may have begun with */
        if (j > 0 && longest < least)
            least = longest;
    }
    longest = 0;
    failed += TIMED (fripp_unique (ctx, "n4", "member")) != 0;
    ok (least < 0.5 && longest < HOLD, "a timer or a set with %d values is "
        "recorded by its new name", VALUES);
    diag ("%.3f ms, %.3f ms", least, longest);
    is_int (failed, 0, "all calls are taken");
    receive_all (ctx, server);
    lines_read = 0;
    received = listener_text (server);
    for (char *rest = received, *line; (line = strsep (&rest, "\n")) && rest;) {
        int prefix;
        int n;

        lines_read++;
        if (sscanf (line, "p%d.n%d:", &prefix, &n) == 2 && prefix < 2
            && n <= TIMERS)
            lines[prefix][n]++;
    }
    free (received);
    for (int j = 0; j <= TIMERS; j++)
        right += lines[0][j] == VALUES && lines[1][j] == 1;
    is_int (right, TIMERS + 1, "each is counted by the name that it had");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    is_int (lines_read + (long long)stats.dropped,
            (TIMERS + 1) * (VALUES + 1), "nothing is sent twice, or dropped");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    test_short ();
    test_many_values ();
    test_many_changes ();
    test_racing ();
    test_buffer ();
    test_tight ();
    return done_testing ();
}
