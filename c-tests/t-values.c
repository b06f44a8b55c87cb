/* What becomes of the values recorded: sums, differences, gauges that are
 * held, samples, members.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <math.h>
#include <stdint.h>
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

static void test_totals (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
    struct fripp_metric *m;

    fripp_count (ctx, "t", 10);
    is_str (flushed (ctx, server), "t:10|c",
            "a difference: the first total counts from zero");
    fripp_count (ctx, "t", 20);
    fripp_count (ctx, "t", 30);
    is_str (flushed (ctx, server), "t:20|c",
            "a running total sent to a server that adds: 10, 20, 30 is 30");
    fripp_count (ctx, "t", 30);
    is_str (flushed (ctx, server), "t:0|c", "one that did not grow says so");
    fripp_count (ctx, "t", 5);
    is_str (flushed (ctx, server), "t:5|c", "a lower one counts whole");
    fripp_count (ctx, "t", 8);
    fripp_count (ctx, "t", 3);
    fripp_count (ctx, "t", 4);
    is_str (flushed (ctx, server), "t:7|c",
            "differences call by call: 5 to 8, a restart to 3, to 4");
    fripp_count (ctx, "t", 100);
    fripp_count (ctx, "t", 0);
    fripp_count (ctx, "t", 200);
    is_str (flushed (ctx, server), "t:296|c",
            "a restart from 0 that ends above where it began");
    m = fripp_metric_get (ctx, FRIPP_TOTAL, "t", NULL);
    fripp_metric_set (m, 201);
    fripp_send (ctx, "t", 202, FRIPP_TOTAL);
    is_str (flushed (ctx, server), "t:2|c", "by handle and fripp_send too");
    ok (FAILS (fripp_count (ctx, "t", -1), EINVAL)
        && FAILS (fripp_metric_set (m, -1), EINVAL)
        && FAILS (fripp_send (ctx, "t", -1, FRIPP_TOTAL), EINVAL),
        "a negative total: EINVAL");
    fripp_count (ctx, "t", 203);
    is_str (flushed (ctx, server), "t:1|c", "without an effect");
    fripp_ctx_destroy (ctx);
}

/* What brubeck makes of totals, which it subtracts.
 */
static void test_whole_totals (void)
{
    static const int64_t totals[] = { 7, 10, 20, 5, 8, 30, 3, 4, 4, 9, 1 };
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    struct reader *r = reader_create (FRIPP_BRUBECK);
    int64_t want = 1;
    int64_t before = 1;

    fripp_count (ctx, "t", 10);
    is_str (flushed (ctx, server), "t:0.000000001|C\nt:10|C",
            "brubeck: a total is sent in full, after one that is above 0");
    fripp_count (ctx, "t", 20);
    fripp_count (ctx, "t", 30);
    is_str (flushed (ctx, server), "t:30|C", "the newest");
    fripp_count (ctx, "t", 30);
    is_str (flushed (ctx, server), "", "once");
    fripp_count (ctx, "t", 5);
    is_str (flushed (ctx, server), "t:5|C", "a restart");
    fripp_ctx_destroy (ctx);

    ctx = ctx_open (server, NEVER);
    fripp_count (ctx, "u", 1);
    flush_all (ctx);
    for (size_t i = 0; i < sizeof (totals) / sizeof (totals[0]); i++) {
        fripp_count (ctx, "u", totals[i]);
        want += totals[i] >= before ? totals[i] - before : totals[i];
        before = totals[i];
        if (i % 4 == 3)
            flush_all (ctx);
    }
    fripp_ctx_destroy (ctx);
    /* three flushes and what destroy sends */
    listener_need (server, 4);
    reader_read_all (r, server, listener_count (server));
    listener_clear (server);
    is_int (reader_get (r, "u", "C")->sum, want,
            "totals that restart within a period: what brubeck adds up");
    ok (!reader_bad (r), "from good lines");
    reader_destroy (r);
}

static void test_counters (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);

    for (int i = 0; i < 1000; i++)
        fripp_inc (ctx, "n", i);
    is_str (flushed (ctx, server), "n:499500|c", "a counter adds up");
    is_str (flushed (ctx, server), "", "and starts again from 0");
    fripp_inc (ctx, "n", -1);
    is_str (flushed (ctx, server), "n:-1|c", "-1 is a value: a counter");
    fripp_inc (ctx, "n", 5);
    fripp_inc (ctx, "n", -5);
    fripp_inc (ctx, "n", 3);
    is_str (flushed (ctx, server), "n:3|c", "up and down");
    fripp_send (ctx, "n", 2, FRIPP_COUNTER);
    fripp_send (ctx, "n", -1, FRIPP_COUNTER);
    is_str (flushed (ctx, server), "n:1|c", "fripp_send");
    fripp_ctx_destroy (ctx);
}

static void test_gauges (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    struct fripp_metric *m;

    fripp_gauge (ctx, "g", -1, false);
    is_str (flushed (ctx, server), "g:0|g\ng:-1|g",
            "-1 is a value: a gauge");
    fripp_gauge (ctx, "g", -1, false);
    is_str (flushed (ctx, server), "", "and is sent once");
    fripp_gauge (ctx, "g", 1, false);
    fripp_gauge (ctx, "g", 2, false);
    fripp_gauge (ctx, "g", 3, false);
    is_str (flushed (ctx, server), "g:3|g", "the newest value");
    fripp_gauge (ctx, "g", 9, false);
    fripp_gauge (ctx, "g", 3, false);
    is_str (flushed (ctx, server), "", "one that came back did not change");
    for (int i = 0; i < 10; i++) {
        fripp_gauge (ctx, "g", 7, false);
        flush_all (ctx);
    }
    is_str (arrived (ctx, server), "g:7|g",
            "a gauge set to the same value each period is sent once");

    fripp_gauge (ctx, "h", 5, true);
    is_str (flushed (ctx, server), "h:5|g", "an increment, from 0");
    for (int i = 0; i < 100; i++)
        flush_all (ctx);
    is_str (arrived (ctx, server), "", "a hundred idle periods");
    fripp_gauge (ctx, "h", 1, true);
    is_str (flushed (ctx, server), "h:6|g", "a gauge kept by increments is "
            "not forgotten: the next +1 sends 6");
    fripp_gauge (ctx, "h", -10, true);
    is_str (flushed (ctx, server), "h:0|g\nh:-4|g", "down below zero");
    m = fripp_metric_get (ctx, FRIPP_GAUGE, "h", NULL);
    fripp_metric_add (m, 5);
    is_str (flushed (ctx, server), "h:1|g", "by handle");
    fripp_metric_set (m, 100);
    fripp_metric_add (m, 1);
    fripp_gauge (ctx, "h", 1, true);
    is_str (flushed (ctx, server), "h:102|g", "onto what was set");
    fripp_metric_set_real (m, 0.5);
    fripp_metric_add (m, 2);
    is_str (flushed (ctx, server), "h:2.5|g", "onto a real number");
    fripp_metric_set_real (m, 2);
    fripp_metric_set (m, 2);
    is_str (flushed (ctx, server), "h:2|g", "a whole real number");
    fripp_gauge (ctx, "h", 2, false);
    is_str (flushed (ctx, server), "", "is that integer");
    fripp_send (ctx, "h", -0.0, FRIPP_GAUGE);
    is_str (flushed (ctx, server), "h:0|g", "fripp_send of -0.0");
    fripp_ctx_destroy (ctx);
}

static void test_samples (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER);

    for (int i = 0; i < 3; i++)
        fripp_timing (ctx, "t", 5);
    fripp_timing (ctx, "t", 6);
    fripp_timing (ctx, "t", 5);
    is_str (flushed (ctx, server),
            "t:5|ms\nt:5|ms\nt:5|ms\nt:6|ms\nt:5|ms",
            "every timing is sent, equal ones too");
    fripp_timing (ctx, "t", 5);
    fripp_histogram (ctx, "t", 5);
    fripp_histogram (ctx, "t", 5);
    fripp_send (ctx, "t", 7, FRIPP_TIMER);
    fripp_send (ctx, "t", -7, FRIPP_HISTOGRAM);
    is_str (flushed (ctx, server),
            "t:5|ms\nt:7|ms\nt:5|h\nt:5|h\nt:-7|h", "and histograms");
    is_str (flushed (ctx, server), "", "each once");
    fripp_ctx_destroy (ctx);
}

static void test_bad_values (void)
{
    static const double reals[] = { NAN, INFINITY, -INFINITY, -NAN };
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
    struct fripp_metric *timer;
    struct fripp_metric *histogram;
    struct fripp_metric *gauge;
    struct fripp_stats s;
    int failed = 0;

    timer = fripp_metric_get (ctx, FRIPP_TIMER, "t", NULL);
    histogram = fripp_metric_get (ctx, FRIPP_HISTOGRAM, "h", NULL);
    gauge = fripp_metric_get (ctx, FRIPP_GAUGE, "g", NULL);
    fripp_timing (ctx, "t", 1);
    fripp_gauge (ctx, "g", 4, false);
    for (size_t i = 0; i < sizeof (reals) / sizeof (reals[0]); i++) {
        failed += FAILS (fripp_gauge_real (ctx, "g", reals[i]), EINVAL);
        failed += FAILS (fripp_timing (ctx, "t", reals[i]), EINVAL);
        failed += FAILS (fripp_timing (ctx, "new", reals[i]), EINVAL);
        failed += FAILS (fripp_histogram (ctx, "h", reals[i]), EINVAL);
        for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++)
            failed += FAILS (fripp_send (ctx, "s", reals[i], type), EINVAL);
        failed += FAILS (fripp_metric_record (timer, reals[i]), EINVAL);
        failed += FAILS (fripp_metric_record (histogram, reals[i]), EINVAL);
        failed += FAILS (fripp_metric_set_real (gauge, reals[i]), EINVAL);
    }
    is_int (failed, 4 * 13, "NaN and infinity: EINVAL");
    ok (FAILS (fripp_timing (ctx, "t", -1), EINVAL)
        && FAILS (fripp_timing (ctx, "t", -1e-300), EINVAL)
        && FAILS (fripp_metric_record (timer, -0.5), EINVAL)
        && FAILS (fripp_send (ctx, "t", -1, FRIPP_TIMER), EINVAL),
        "a negative timing: EINVAL");
    ok (FAILS (fripp_send (ctx, "c", 0.5, FRIPP_COUNTER), EINVAL)
        && FAILS (fripp_send (ctx, "c", 1e19, FRIPP_COUNTER), EINVAL)
        && FAILS (fripp_send (ctx, "c", -1e19, FRIPP_COUNTER), EINVAL)
        && FAILS (fripp_send (ctx, "c", 9223372036854775808.0, FRIPP_COUNTER),
                  EINVAL)
        && FAILS (fripp_send (ctx, "c", 1.5, FRIPP_TOTAL), EINVAL),
        "fripp_send of a counter or total that is no whole number: EINVAL");
    ok (FAILS (fripp_send (ctx, "c", 1, (enum fripp_type)6), EINVAL)
        && FAILS (fripp_send (ctx, "c", 1, (enum fripp_type)-1), EINVAL)
        && FAILS (fripp_send (ctx, "c", 1, (enum fripp_type)1000), EINVAL)
        && FAILS_NULL (fripp_metric_get (ctx, (enum fripp_type)6, "c", NULL),
                       EINVAL)
        && FAILS_NULL (fripp_metric_get (ctx, (enum fripp_type)-1, "c",
                                         NULL), EINVAL),
        "a type that there is not: EINVAL");
    ok (FAILS (fripp_unique (ctx, "s", ""), EINVAL)
        && FAILS (fripp_unique (ctx, "s", repeat ('m', 2000)), EMSGSIZE),
        "a member that is empty, EINVAL, or that no datagram holds");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.dropped > 0 && s.dropped_full == 0 && s.dropped_send == 0
        && s.dropped == s.dropped_invalid + s.dropped_oversize,
        "what is dropped is counted");
    is_str (flushed (ctx, server), "g:4|g\nt:1|ms",
            "and has no effect on the rest");
    fripp_ctx_destroy (ctx);
}

/* fripp_send of each type, by dialect.
 */
static void test_send (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=telegraf");

    for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++) {
        /* the members of a set come in any order */
        if (type != FRIPP_SET)
            fripp_send (ctx, "n", 3, type);
        fripp_send (ctx, "n", 5, type);
    }
    is_str (flushed (ctx, server), "n:8|c\nn:5|c\nn:5|g\n"
            "n:3|ms\nn:5|ms\nn:3|h\nn:5|h\nn:5|s",
            "fripp_send: each type");
    fripp_send (ctx, "n", 0.25, FRIPP_SET);
    is_str (flushed (ctx, server), "n:0.25|s", "a real member");
    fripp_send (ctx, "c", 9007199254740992.0, FRIPP_COUNTER);
    fripp_send (ctx, "c", -9223372036854775808.0, FRIPP_COUNTER);
    is_str (flushed (ctx, server), "c:-9214364837600034816|c",
            "whole numbers up to what 64 bits hold");
    fripp_ctx_destroy (ctx);
}

/* They come in no particular order.
 */
static void test_sets (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=statsd");
    struct reader *r = reader_create (FRIPP_STATSD);
    char member[32];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) {
            snprintf (member, sizeof (member), "user%d", i);
            fripp_unique (ctx, "s", member);
        }
    }
    flush_all (ctx);
    listener_need_lines (server, 500);
    reader_read_all (r, server, listener_count (server));
    ok (reader_get (r, "s", "s")->members == 500
        && reader_lines (r) == 500 && !reader_bad (r),
        "a set sends its distinct members, each once");
    listener_clear (server);
    fripp_unique (ctx, "s", "user1");
    fripp_unique (ctx, "s", "user 1");
    fripp_unique (ctx, "s", "user:1");
    fripp_unique (ctx, "s", "user1");
    flush_all (ctx);
    listener_need_lines (server, 2);
    reader_destroy (r);
    r = reader_create (FRIPP_STATSD);
    reader_read_all (r, server, listener_count (server));
    ok (reader_lines (r) == 2 && reader_get (r, "s", "s")->members == 2,
        "and again in the next period; two spellings are one member");
    listener_clear (server);
    reader_destroy (r);
    fripp_ctx_destroy (ctx);
}

/* Negative gauges among many others, in datagrams as small as they may be.
 */
static void test_pairs (const char *dialect, int mtu)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=%s&mtu=%d",
                                      dialect, mtu);
    size_t pairs = 0;
    size_t over = 0;
    char name[64];

    for (int i = 0; i < 300; i++) {
        snprintf (name, sizeof (name), "%s%d", repeat ('g', i % 40), i);
        fripp_gauge (ctx, name, i % 3 ? -1 - i : i, false);
        fripp_inc (ctx, name, 1);
    }
    flush_all (ctx);
    listener_need_lines (server, 800);
    for (size_t i = 0; i < listener_count (server); i++) {
        const struct datagram *d = listener_get (server, i);
        char *text = strdup (d->data);
        char *saved = NULL;
        char *line = strtok_r (text, "\n", &saved);

        over += d->len > (size_t)mtu;
        while (line) {
            char *next = strtok_r (NULL, "\n", &saved);
            char *colon = strchr (line, ':');
            size_t len = (size_t)(colon - line) + 1;

            /* one more "0|g" is that of gauge 0 */
            if (!strcmp (colon, ":0|g") && next
                && !strncmp (line, next, len) && next[len] == '-')
                pairs++;
            line = next;
        }
        free (text);
    }
    is_int (pairs, 200, "%s, mtu %d: the zero stands right before each "
            "negative gauge, in its datagram", dialect, mtu);
    ok (over == 0 && listener_lines (server) == 800,
        "no datagram is longer, nothing else is sent");
    listener_clear (server);
    fripp_ctx_destroy (ctx);
}

/* The longest there can be: both lines of a gauge in 512 bytes.
 */
static void test_long_pairs (void)
{
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    const char *name = repeat ('n', 240);
    const char *text;

    ctx = ctx_open (server, NEVER "&mtu=512");
    fripp_inc (ctx, "other", 1);
    if (fripp_gauge (ctx, name, -5, false) == 0) {
        text = flushed (ctx, server);
        ok (strstr (text, "n:0|g\nn") && strstr (text, "n:-5|g"),
            "a name of 240 bytes in datagrams of 512: both lines");
    }
    else
        ok (errno == ENAMETOOLONG || errno == EMSGSIZE, "a name too long "
            "for both lines is an error of the call");
    (void)flushed (ctx, server);
    fripp_ctx_destroy (ctx);

    ctx = ctx_open (server, NEVER "&mtu=512&dialect=statsd");
    name = repeat ('m', 400);
    if (fripp_gauge (ctx, name, -5, false) == 0) {
        text = flushed (ctx, server);
        fripp_get_stats (ctx, &s, sizeof (s));
        ok (strstr (text, "m:0|g\nm") && strstr (text, "m:-5|g")
            && s.dropped == 0, "a negative gauge that a call took is sent: "
            "a name of 400 bytes, datagrams of 512");
    }
    else
        ok (errno == ENAMETOOLONG || errno == EMSGSIZE, "a name of 400 "
            "bytes and datagrams of 512: a negative gauge is an error of "
            "the call, not lost in the flush");
    fripp_ctx_destroy (ctx);
    listener_clear (server);
}

/* Values of 301 digits after long names, in datagrams of 512: what a call
 * takes is sent.
 */
static void test_long_values (void)
{
    static const char *const what[] = {
        "fripp_gauge_real", "fripp_timing", "fripp_histogram"
    };
    const char *name = repeat ('n', 240);

    for (int i = 0; i < 3; i++) {
        struct fripp_ctx *ctx = ctx_open (server, NEVER "&mtu=512");
        bool sent;
        int errnum;
        int rc;

        errno = 0;
        if (i == 0)
            rc = fripp_gauge_real (ctx, name, 1e300);
        else if (i == 1)
            rc = fripp_timing (ctx, name, 1e300);
        else
            rc = fripp_histogram (ctx, name, 1e300);
        errnum = errno;
        sent = *flushed (ctx, server) != '\0';
        ok (rc == 0 ? sent : !sent && (errnum == EMSGSIZE
                                       || errnum == ENAMETOOLONG),
            "%s of a line that no datagram holds: it returns %d, and is%s "
            "sent", what[i], rc, sent ? "" : " not");
        fripp_ctx_destroy (ctx);
    }
}

struct thinned {
    size_t recorded;
    double k;
};

static void test_thinning (enum fripp_dialect dialect)
{
    static const struct thinned rows[] = {
        { 32768, 1 }, { 32769, 2 }, { 40000, 2 }, { 70000, 4 },
        { 200000, 8 }
    };

    for (size_t i = 0; i < sizeof (rows) / sizeof (rows[0]); i++) {
        struct listener *l;
        struct fripp_ctx *ctx;
        struct reader *r = reader_create (dialect);
        struct fripp_stats s = { 0 };
        const struct reading *m;
        double k;

        ctx = ctx_open_lossless (&l, NEVER "&dialect=%s",
                                 dialect_names[dialect]);
        listener_start (l);
        for (size_t n = 0; n < rows[i].recorded; n++)
            fripp_timing (ctx, "thin", (double)(n % 10));
        for (int n = 0; n < 100; n++)
            fripp_timing (ctx, "whole", n);
        flush_all (ctx);
        fripp_get_stats (ctx, &s, sizeof (s));
        listener_need (l, s.datagrams);
        listener_stop (l);
        reader_read_all (r, l, listener_count (l));
        m = reader_get (r, "thin", "ms");
        k = 1 / m->rate;
        ok (!reader_bad (r) && reader_lines (r) == s.lines,
            "%s, %zu samples: the lines that were sent arrive",
            dialect_names[dialect], rows[i].recorded);
        ok (m->lines > 0 && m->lines <= 32768 && k == (double)(long)k
            && (rows[i].k > 1) == (k > 1),
            "every k-th is kept, k whole: %g, %zu lines", k, m->lines);
        ok (fabs (m->values - (double)rows[i].recorded) < k,
            "their number is right within k: %.0f", m->values);
        ok (reader_get (r, "whole", "ms")->values == 100
            && reader_get (r, "whole", "ms")->rate == 1,
            "another metric has all");
        reader_destroy (r);
        fripp_ctx_destroy (ctx);
        listener_destroy (l);
    }
}

static void test_packing (void)
{
    struct fripp_ctx *ctx = ctx_open (server, NEVER "&dialect=dogstatsd");
    struct reader *r = reader_create (FRIPP_DOGSTATSD);
    struct fripp_metric *m;
    struct fripp_stats before;
    struct fripp_stats s;

    fripp_timing (ctx, "t", 1);
    fripp_timing (ctx, "t", 2.5);
    fripp_timing (ctx, "t", 2.5);
    fripp_histogram (ctx, "h", -1);
    fripp_histogram (ctx, "h", 0.25);
    fripp_inc (ctx, "c", 1);
    fripp_inc (ctx, "c", 1);
    is_str (flushed (ctx, server), "c:2|c\nt:1:2.5:2.5|ms\nh:-1:0.25|h",
            "dogstatsd: the values of a timer or histogram go in one line");
    m = fripp_metric_get (ctx, FRIPP_TIMER, "t", "k:v");
    fripp_metric_record (m, 1);
    fripp_metric_record (m, 2);
    is_str (flushed (ctx, server), "t:1:2|ms|#k:v", "with tags");

    fripp_get_stats (ctx, &before, sizeof (before));
    for (int i = 0; i < 5000; i++)
        fripp_timing (ctx, "many", i * 0.001);
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_need (server, s.datagrams - before.datagrams);
    for (size_t i = 0; i < listener_count (server); i++) {
        const struct datagram *d = listener_get (server, i);

        /* the agent's, on this host */
        ok (d->len <= 7680
            && (i + 1 == listener_count (server) || d->len > 7500),
            "%zu bytes: full, and no longer", d->len);
    }
    reader_read_all (r, server, listener_count (server));
    ok (!reader_bad (r) && reader_get (r, "many", "ms")->values == 5000
        && reader_get (r, "many", "ms")->lines < 50,
        "5,000 values in few lines, all of them");
    listener_clear (server);
    reader_destroy (r);
    fripp_ctx_destroy (ctx);

    /* nowhere else */
    for (int d = 0; d < DIALECTS; d++) {
        if (d == FRIPP_DOGSTATSD)
            continue;
        ctx = ctx_open (server, NEVER "&dialect=%s", dialect_names[d]);
        fripp_timing (ctx, "t", 1);
        fripp_timing (ctx, "t", 2);
        is_str (flushed (ctx, server), "t:1|ms\nt:2|ms",
                "%s: a line for each value", dialect_names[d]);
        fripp_ctx_destroy (ctx);
    }
}

static void test_forget (void)
{
    struct fripp_ctx *ctx;
    struct fripp_metric *gauge;
    struct fripp_metric *tagged;
    struct fripp_metric *total;

    ctx = ctx_open (server, NEVER "&dialect=dogstatsd&max_metrics=6");
    gauge = fripp_metric_get (ctx, FRIPP_GAUGE, "job.1", NULL);
    tagged = fripp_metric_get (ctx, FRIPP_COUNTER, "job.1", "k:v");
    total = fripp_metric_get (ctx, FRIPP_TOTAL, "job.1", NULL);
    fripp_metric_add (gauge, 5);
    fripp_metric_add (tagged, 6);
    fripp_metric_set (total, 7);
    fripp_timing (ctx, "job.1", 8);
    fripp_unique (ctx, "job.1", "m");
    fripp_inc (ctx, "job.2", 1);
    ok (FAILS (fripp_inc (ctx, "job.3", 1), ENOSPC), "six metrics: full");
    errno = EXDEV;
    ok (fripp_forget (ctx, "..job.1") == 0 && errno == EXDEV,
        "fripp_forget, in another spelling");
    {
        const char *text = arrived (ctx, server);

        ok (strstr (text, "job.1:5|g") && strstr (text, "job.1:6|c|#k:v")
            && strstr (text, "job.1:7|c") && strstr (text, "job.1:8|ms")
            && strstr (text, "job.1:m|s"),
            "what every type and tag of it had pending is sent");
        ok (!strstr (text, "job.2"), "and what other names have is not");
    }
    ok (fripp_gauge (ctx, "new.1", 1, false) == 0
        && fripp_gauge (ctx, "new.2", 1, false) == 0
        && fripp_gauge (ctx, "new.3", 1, false) == 0
        && fripp_gauge (ctx, "new.4", 1, false) == 0
        && fripp_gauge (ctx, "new.5", 1, false) == 0
        && FAILS (fripp_gauge (ctx, "new.6", 1, false), ENOSPC),
        "the room of five is given back");
    ok (FAILS (fripp_metric_add (gauge, 1), ENOSPC),
        "a handle of it needs room again: ENOSPC");
    (void)flushed (ctx, server);
    for (int i = 1; i <= 5; i++) {
        char name[16];

        snprintf (name, sizeof (name), "new.%d", i);
        fripp_forget (ctx, name);
    }
    is_str (flushed (ctx, server), "", "forgetting sends nothing that was "
            "sent");
    ok (fripp_metric_add (gauge, 1) == 0 && fripp_metric_add (tagged, 1) == 0
        && fripp_metric_set (total, 10) == 0, "with room handles record");
    is_str (flushed (ctx, server),
            "job.1:1|g\njob.1:1|c|#k:v\njob.1:10|c",
            "again: a gauge and a total from 0");
    ok (gauge == fripp_metric_get (ctx, FRIPP_GAUGE, "job.1", NULL)
        && fripp_gauge (ctx, "job.1", 1, true) == 0,
        "by name it is that metric");
    is_str (flushed (ctx, server), "job.1:2|g", "with its value");
    ok (fripp_forget (ctx, "never.seen") == 0, "a name that is not there");
    fripp_ctx_destroy (ctx);

    /* names that come and go */
    ctx = ctx_open (server, NEVER "&max_metrics=10");
    {
        int failed = 0;

        for (int i = 0; i < 5000; i++) {
            char name[32];

            snprintf (name, sizeof (name), "job.%d", i);
            failed += fripp_inc (ctx, name, 1) != 0;
            failed += fripp_forget (ctx, name) != 0;
            listener_need (server, (size_t)i + 1);
        }
        is_int (failed, 0, "5,000 names that come and go, where 10 fit");
        is_int (listener_lines (server), 5000, "none is lost");
    }
    listener_clear (server);
    fripp_ctx_destroy (ctx);
}

/* A forgotten gauge is not refreshed; one that is held is, at the first
 * flush after its time, and not before.
 */
static void test_refresh (void)
{
    struct fripp_ctx *ctx;
    double start;
    double first;
    double second;
    size_t most;

    ctx = ctx_open (server, "refresh=0.2&period=0.05");
    start = now_ms ();
    fripp_gauge (ctx, "g", 5, false);
    listener_need (server, 1);
    first = now_ms ();
    ok (listener_got (server, 0, "g:5|g", 5), "a gauge, once");
    while (listener_count (server) < 4 && now_ms () < start + DEADLINE) {
        fripp_gauge (ctx, "g", 5, false);
        listener_idle (server, 10);
    }
    second = now_ms ();
    ok (listener_count (server) >= 4
        && listener_got (server, 3, "g:5|g", 5),
        "set to the same value, or not at all: again after the refresh");
    /* the first was sent before it was seen, the last maybe late */
    ok (second - start >= 3 * 200 - 60 && first - start < DEADLINE,
        "three times in no less than three refreshes: %.0f ms",
        second - start);
    start = now_ms ();
    listener_clear (server);
    listener_need (server, 3);
    most = 1 + (size_t)((now_ms () - start) / 200) + 1;
    ok (listener_count (server) >= 3 && listener_count (server) <= most,
        "without a call too");
    fripp_forget (ctx, "g");
    fripp_gauge (ctx, "h", 1, false);
    listener_clear (server);
    start = now_ms ();
    while (listener_lines (server) < 3 && now_ms () < start + DEADLINE)
        listener_idle (server, 10);
    {
        char *text = listener_text (server);
        char *at = strstr (text, "g:5");

        ok (listener_lines (server) >= 3 && (!at || !strstr (at + 1, "g:5")),
            "a forgotten one is not sent again");
        free (text);
    }
    fripp_ctx_destroy (ctx);
    listener_quiet (server, 0);
    listener_clear (server);

    /* a total that brubeck knows; refresh=0: never */
    ctx = ctx_open (server, "refresh=0.1&period=0.02");
    fripp_count (ctx, "t", 5);
    listener_need (server, 3);
    ok (listener_got (server, 2, "t:5|C", 5), "an unchanged total, too");
    fripp_ctx_destroy (ctx);
    listener_quiet (server, 0);
    listener_clear (server);
    ctx = ctx_open (server, "refresh=0.05&period=0.02&dialect=statsd");
    fripp_count (ctx, "t", 5);
    fripp_gauge (ctx, "g", -5, false);
    listener_need_lines (server, 3 + 3 * 2);
    {
        char *text = listener_text (server);
        char *at = strstr (text, "t:5|c\n");

        ok (at && !strstr (at + 1, "t:"), "but no difference again");
        ok (strstr (text, "g:0|g\ng:-5|g\n"),
            "a negative gauge with its zero");
        free (text);
    }
    fripp_ctx_destroy (ctx);
    listener_quiet (server, 0);
    listener_clear (server);
    ctx = ctx_open (server, "refresh=0&period=0.01");
    fripp_gauge (ctx, "g", 5, false);
    for (int i = 1; i <= 20; i++) {
        fripp_inc (ctx, "clock", 1);
        listener_need_lines (server, (size_t)i + 1);
    }
    {
        char *text = listener_text (server);
        char *at = strstr (text, "g:5|g\n");

        ok (at && !strstr (at + 1, "g:5"), "refresh=0: never again");
        free (text);
    }
    fripp_ctx_destroy (ctx);
    listener_quiet (server, 0);
    listener_clear (server);
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    test_totals ();
    test_whole_totals ();
    test_counters ();
    test_gauges ();
    test_samples ();
    test_bad_values ();
    test_send ();
    test_sets ();
    test_pairs ("brubeck", 1440);
    test_pairs ("statsd", 512);
    test_pairs ("telegraf", 600);
    test_long_pairs ();
    test_long_values ();
    test_thinning (FRIPP_BRUBECK);
    test_thinning (FRIPP_DOGSTATSD);
    test_packing ();
    test_forget ();
    test_refresh ();
    listener_destroy (server);
    return done_testing ();
}
