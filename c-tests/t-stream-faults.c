/* Streams, and servers that restart, read slowly, hang, cut a connection in
 * the middle of a line, or close each connection.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fripp.h>

#include "context.h"
#include "proc.h"
#include "stream.h"
#include "tap.h"

/* Each line has its number, and the same length with its newline: one that
 * divides no size of a buffer.
 */
#define LINE "lines.%06d:1|c"
#define LINE_LEN 17

/* The lines of a text, which begin at the number *first: how many follow each
 * other without a gap.
 */
static int sequence (const char *text, int *first)
{
    int count = 0;
    char want[32];

    if (sscanf (text, "lines.%d", first) != 1)
        return 0;
    for (;; count++) {
        int len = snprintf (want, sizeof (want), LINE "\n", *first + count);

        if (strncmp (text, want, len) != 0)
            return count;
        text += len;
    }
}

static struct fripp_stats stats_of (struct fripp_ctx *ctx)
{
    struct fripp_stats stats;

    must (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0);
    return stats;
}

/* Send lines, by so many in a datagram, until the kernel takes no more. How
 * many there are.
 */
static int fill (struct fripp_ctx *ctx, int lines)
{
    int next = 0;

    do {
        for (int i = 0; i < lines; i++)
            fripp_packet_appendf (ctx, LINE, next++);
        (void)fripp_flush (ctx);
    } while (next < 2000000 && stats_of (ctx).pending < 200000);
    must (stats_of (ctx).pending >= 200000);
    return next;
}

/* Wait until the kernel takes nothing, for a while.
 */
static struct fripp_stats settled (struct fripp_ctx *ctx)
{
    struct fripp_stats stats = stats_of (ctx);
    int same = 0;

    while (same < 10) {
        uint64_t before = stats.bytes;

        rest_ms (10);
        stats = stats_of (ctx);
        same = stats.bytes == before ? same + 1 : 0;
    }
    return stats;
}

static void test_cut (const char *where, const char *settings, int lines)
{
    struct stream *s = stream_listen_small (where);
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    int first, second, count, total;
    const char *text;
    size_t first_lines;
    uint64_t taken;
    int tries = 0;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, settings))));
    total = fill (ctx, lines);
    (void)stream_read (s, 1);
    do {
        (void)stream_read (s, 5000);
        stats = settled (ctx);
    } while (stats.bytes % LINE_LEN == 0 && ++tries < 50);
    ok (stats.bytes % LINE_LEN != 0, "%s: the kernel took a part of a line",
        stream_uri (s, ""));
    ok (stats.lines == stats.bytes / LINE_LEN, "which does not count");
    ok (stats.bytes + stats.pending == (uint64_t)total * LINE_LEN
            || stats.pending > 0, "the rest is pending");
    first_lines = stream_lines (s);
    taken = stats.lines;
    stream_cut (s);
    /* what the kernel had taken beyond what was read is lost */
    is_int (stream_wait (s, first_lines + total - taken, DEADLINE),
            first_lines + total - taken,
            "all other lines arrive over the next connection");
    text = stream_text (s);
    count = sequence (text, &first);
    is_int (first, 0, "the first connection has the first line");
    is_int (count, first_lines, "and all up to where it was read");
    text += (size_t)count * LINE_LEN;
    count = sequence (text, &second);
    is_int (second, taken, "the next begins with the one that was cut");
    is_int (second + count, total, "and has all up to the last");
    stats = stats_of (ctx);
    is_int (stats.lines, total, "each line is counted once");
    is_int (stats.dropped, 0, "none as dropped");
    is_int (stats.reconnects, 1, "one connection more");
    ok (stats.send_errors > 0, "its loss is an error");
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

static void test_restarts (const char *where)
{
    struct stream *s = stream_listen (where);
    struct fripp_ctx *ctx;
    const char *text;
    int last = -1, number, bad = 0, sent = 0, received = 0;

    must ((ctx = fripp_ctx_create_uri (NULL,
                                       stream_uri (s, "?period=0.01"))));
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < 1000; j++)
            fripp_format_send (ctx, LINE, sent++);
        stream_idle (s, DEADLINE);
        stream_drop (s);
        for (int j = 0; j < 1000; j++)
            fripp_format_send (ctx, LINE, sent++);
        stream_reopen (s);
    }
    fripp_format_send (ctx, LINE, sent);
    do {
        stream_idle (s, DEADLINE);
        text = stream_text (s);
    } while (atoi (text + strlen (text) - LINE_LEN + 6) != sent);
    for (; *text; text += LINE_LEN, received++) {
        bad += sscanf (text, "lines.%06d:1|c\n", &number) != 1
               || number <= last || text[LINE_LEN - 1] != '\n';
        last = number;
    }
    is_int (bad, 0, "%s: 10 restarts: no line torn, none twice",
            stream_uri (s, ""));
    /* what a server had not read when it went */
    ok (received >= sent / 2 && stats_of (ctx).dropped == 0,
        "%d of %d lines arrived, the others were unread", received, sent + 1);
    ok (stats_of (ctx).lines == (uint64_t)sent + 1, "all were taken");
    ok (stats_of (ctx).reconnects >= 10, "a connection each");
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

static void test_slow (const char *where)
{
    struct stream *s = stream_listen_small (where);
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    const char *text;
    double begin = now_ms ();
    int first, count, next = 0;

    must ((ctx = fripp_ctx_create_uri (NULL,
               stream_uri (s, "?buffer=100000&period=0.05"))));
    for (int i = 0; i < 100000; i++) {
        fripp_format_send (ctx, LINE, next++);
        fripp_inc (ctx, "n", 1);
    }
    ok (now_ms () - begin < 20000, "calls do not wait for a server that "
        "hangs");
    stats = stats_of (ctx);
    ok (stats.dropped_full > 0 && stats.dropped == stats.dropped_full,
        "what the buffer does not hold is dropped and counted");
    ok (stats.pending > 0 && stats.pending <= 110000, "%d bytes are pending",
        (int)stats.pending);
    ok (FAILS (fripp_flush (ctx), EAGAIN), "a flush waits for 100 ms");
    begin = now_ms ();
    while (stats_of (ctx).pending > 0 && now_ms () - begin < DEADLINE) {
        (void)stream_read (s, 2000);
        rest_ms (1);
    }
    flush_all (ctx);
    stats = stats_of (ctx);
    is_int (stream_wait (s, stats.lines, DEADLINE), stats.lines,
            "it reads slowly: it gets all that was taken");
    text = stream_text (s);
    count = sequence (text, &first);
    ok (first == 0 && count > 0, "from the first line");
    is_int (stream_connections (s), 1, "over one connection");
    ok (strstr (stream_text (s), "\nn:") != NULL, "and the counter");
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

/* Destroy takes 100 ms where the server hangs, and what is left is gone.
 */
static void test_hang_at_destroy (void)
{
    struct stream *s = stream_listen_small ("tcp");
    struct fripp_ctx *ctx;
    struct meter meter;
    double took;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    (void)fill (ctx, 3000);
    meter_start (&meter);
    fripp_ctx_destroy (ctx);
    took = meter_stop (&meter);
    ok (took < 1000, "destroy with a server that hangs takes "
        "%.0f ms", took);
    stream_destroy (s);
}

/* A server that closes each connection gets few of them.
 */
static void test_flapping (void)
{
    struct stream *s = stream_listen ("tcp");
    struct logbook book = { 0 };
    struct fripp_ctx *ctx;
    double begin = now_ms ();
    int n = 0;

    must ((ctx = fripp_ctx_create_uri (NULL,
                                       stream_uri (s, "?period=0.01"))));
    fripp_set_log (ctx, logbook_write, &book);
    while (now_ms () - begin < 2000) {
        fripp_inc (ctx, "n", 1);
        stream_idle (s, 5);
        stream_cut (s);
        n++;
    }
    ok (stream_connections (s) >= 3 && stream_connections (s) <= 20,
        "a server that closes each connection at once: %d in 2 s",
        stream_connections (s));
    ok (logbook_count (&book) == 1
            && strstr (book.text[0], "the server has closed the connection"),
        "one line in the log: %s", book.text[0]);
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

/* The writer of a broken pipe gets SIGPIPE, but not from here.
 */
static void test_sigpipe (const char *where)
{
    struct stream *s = stream_listen (where);
    struct fripp_ctx *ctx;

    signal (SIGPIPE, SIG_DFL);
    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    for (int i = 0; i < 20; i++) {
        fripp_format_send (ctx, "n:1|c");
        stream_idle (s, 50);
        stream_cut (s);
        for (int j = 0; j < 10; j++)
            fripp_format_send (ctx, "n:1|c");
    }
    ok (true, "%s: no SIGPIPE", stream_uri (s, ""));
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

int main (void)
{
    char path[200];

    snprintf (path, sizeof (path), "%s/stream", scratch_dir ());
    test_cut ("tcp", "?period=3600", 80);
    test_cut ("tcp", "?period=3600&mtu=65507", 3000);
    test_cut (path, "?period=3600&mtu=65507", 3000);
    test_restarts ("tcp");
    test_restarts (path);
    test_slow ("tcp");
    test_slow (path);
    test_hang_at_destroy ();
    test_flapping ();
    test_sigpipe ("tcp");
    test_sigpipe (path);
    return done_testing ();
}
