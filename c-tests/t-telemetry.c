/* telemetry=1: a context sends its own counts, as totals.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include <fripp.h>

#include "context.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"

static const char *const names[] = {
    "lines", "datagrams", "bytes", "dropped", "dropped_invalid",
    "dropped_oversize", "dropped_full", "dropped_send", "send_errors",
    "reconnects", "resolutions",
};
#define NAMES (sizeof (names) / sizeof (names[0]))

static uint64_t count_of (const struct fripp_stats *stats, size_t i)
{
    const uint64_t counts[] = {
        stats->lines, stats->datagrams, stats->bytes, stats->dropped,
        stats->dropped_invalid, stats->dropped_oversize, stats->dropped_full,
        stats->dropped_send, stats->send_errors, stats->reconnects,
        stats->resolutions,
    };

    return counts[i];
}

/* Whether two texts have the same lines, which come in any order, and none
 * twice.
 */
static bool same_lines (const char *got, const char *want)
{
    bool same = strlen (got) == strlen (want);

    while (same && *want) {
        size_t len = strcspn (want, "\n");
        const char *at = got;

        while (strncmp (at, want, len) || (at[len] && at[len] != '\n')) {
            at += strcspn (at, "\n");
            if (!*at++)
                return false;
        }
        want += len + (want[len] == '\n');
    }
    return same;
}

static void test_first (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (l, NEVER "&dialect=statsd&telemetry=1"
                                      "&prefix=app");
    struct fripp_stats before, after;

    fripp_inc (ctx, "n", 1);
    ok (same_lines (flushed (ctx, l),
            "app.n:1|c\n"
            "app.fripp.lines:0|c\napp.fripp.datagrams:0|c\n"
            "app.fripp.bytes:0|c\napp.fripp.dropped:0|c\n"
            "app.fripp.dropped_invalid:0|c\napp.fripp.dropped_oversize:0|c\n"
            "app.fripp.dropped_full:0|c\napp.fripp.dropped_send:0|c\n"
            "app.fripp.send_errors:0|c\napp.fripp.reconnects:0|c\n"
            "app.fripp.resolutions:0|c"),
            "the first flush has each count, so that there is a series");
    fripp_timing (ctx, "t", -1);
    ok (same_lines (flushed (ctx, l),
            "app.fripp.lines:13|c\napp.fripp.datagrams:2|c\n"
            "app.fripp.bytes:302|c\napp.fripp.dropped:1|c\n"
            "app.fripp.dropped_invalid:1|c"),
            "later ones have those that grew, and by how much");
    must (fripp_flush (ctx) == 0);
    must (fripp_get_stats (ctx, &before, sizeof (before)) == 0);
    must (fripp_flush (ctx) == 0 && fripp_flush (ctx) == 0);
    must (fripp_get_stats (ctx, &after, sizeof (after)) == 0);
    is_int (after.lines, before.lines,
            "but not those that grew by counting alone");
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
}

/* What arrives adds up to what fripp_get_stats () has.
 */
static void test_sums (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (l, "period=0.02&dialect=statsd"
                                      "&telemetry=1&refresh=0");
    struct reader *r = reader_create (FRIPP_STATSD);
    struct fripp_stats stats;
    size_t lines;
    int equal = 0;

    for (int i = 0; i < 200; i++) {
        fripp_format_send (ctx, "packet:%d|c", i);
        fripp_inc (ctx, "n", i);
        fripp_timing (ctx, "t", i % 10 ? i : -1);
        rest_ms (1);
    }
    /* the background thread goes on until it has told all */
    do {
        lines = listener_lines (l);
        (void)listener_quiet (l, 300);
    } while (listener_lines (l) != lines);
    must (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0);
    reader_read_all (r, l, listener_count (l));
    for (size_t i = 0; i < NAMES; i++) {
        char name[64];
        int64_t got;

        snprintf (name, sizeof (name), "fripp.%s", names[i]);
        got = reader_get (r, name, "c")->sum;
        /* the last lines that told it are not told */
        equal += i < 3 ? got > 0 && got <= (int64_t)count_of (&stats, i)
                       : got == (int64_t)count_of (&stats, i);
    }
    is_int (equal, NAMES, "the sums are those of fripp_get_stats ()");
    ok (stats.lines - reader_get (r, "fripp.lines", "c")->sum <= 3,
        "of lines but for the last ones");
    is_int (stats.lines, listener_lines (l), "which are those that arrived");
    fripp_ctx_destroy (ctx);
    reader_destroy (r);
    listener_destroy (l);
}

/* A context that only sends packets has its counts sent all the same.
 */
static void test_packets (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (l, "period=0.02&telemetry=1");

    fripp_format_send (ctx, "packet:1|c");
    listener_need_lines (l, 12);
    ok (strstr (listener_text (l), "fripp.lines:1|C\n") != NULL,
        "packets alone: their number comes with the next flush");
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
}

static void test_off (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (l, NEVER "&dialect=statsd&telemetry=0");

    fripp_inc (ctx, "n", 1);
    is_str (flushed (ctx, l), "n:1|c", "telemetry=0: none");
    fripp_ctx_destroy (ctx);
    ctx = ctx_open (l, NEVER "&dialect=statsd&telemetry=1&max_metrics=3");
    must (ctx != NULL);
    listener_clear (l);
    ok (same_lines (flushed (ctx, l), "fripp.lines:0|c\nfripp.datagrams:0|c\n"
            "fripp.bytes:0|c"), "those that are too many are dropped");
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
}

int main (void)
{
    test_first ();
    test_sums ();
    test_packets ();
    test_off ();
    return done_testing ();
}
