/* Streams: TCP and UNIX stream sockets. The lines, the counts, and a server
 * that is not there yet.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fripp.h>

#include "context.h"
#include "proc.h"
#include "stream.h"
#include "tap.h"

static void test_lines (const char *where, const char *what)
{
    struct stream *s = stream_listen (where);
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    char uri[512];

    snprintf (uri, sizeof (uri), "%s", stream_uri (s, "?" NEVER));
    ok ((ctx = fripp_ctx_create_uri (NULL, uri)) != NULL, "%s: %s", what, uri);
    ok (fripp_format_send (ctx, "a:1|c\nb:2|g\n") == 0
            && fripp_format_send (ctx, "c:3|c") == 0
            && fripp_packet_appendf (ctx, "d:4|c") == 0
            && fripp_inc (ctx, "e", 5) == 0
            && fripp_timing (ctx, "f", 6.) == 0
            && fripp_flush (ctx) == 0, "%s: calls", what);
    stream_need (s, 6);
    is_str (stream_text (s), "a:1|c\nb:2|g\nc:3|c\ne:5|c\nf:6|ms\nd:4|c\n",
            "%s: each line ends in a newline", what);
    must (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0);
    is_int (stats.lines, 6, "%s: the lines are counted", what);
    is_int (stats.datagrams, 3, "%s: and the packets and flushes", what);
    is_int (stats.bytes, 37, "%s: and the bytes, with newlines", what);
    ok (stats.dropped == 0 && stats.pending == 0 && stats.send_errors == 0
            && stats.reconnects == 0, "%s: nothing else is", what);
    fripp_inc (ctx, "g", 7);
    fripp_ctx_destroy (ctx);
    ok (stream_ended (s, DEADLINE), "%s: destroy ends the connection", what);
    is_int (stream_lines (s), 7, "%s: and sends what is pending", what);
    is_int (stream_connections (s), 1, "%s: there was one", what);
    is_int (stream_torn (s), 0, "%s: no line was torn", what);
    stream_destroy (s);
}

static void test_name (void)
{
    struct stream *s = stream_listen ("tcp");
    const char *port = strrchr (stream_uri (s, ""), ':');
    struct fripp_ctx *ctx;
    char uri[64];

    snprintf (uri, sizeof (uri), "tcp://localhost%s?dialect=brubeck", port);
    must ((ctx = fripp_ctx_create_uri (NULL, uri)) != NULL);
    fripp_count (ctx, "n", 3);
    stream_need (s, 1);
    ok (strstr (stream_text (s), "n:3|C\n") != NULL,
        "a name is looked up, and the background thread sends");
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

static void test_period_0 (void)
{
    struct stream *s = stream_listen ("tcp");
    struct fripp_ctx *ctx;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?period=0"))));
    fripp_inc (ctx, "n", 1);
    fripp_inc (ctx, "n", 2);
    stream_need (s, 2);
    is_str (stream_text (s), "n:1|c\nn:2|c\n", "a period of 0: at once");
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

/* Much, in datagrams of any size, by flushes and packets.
 */
static void test_much (const char *where, const char *settings)
{
    struct stream *s = stream_listen (where);
    struct fripp_ctx *ctx;
    char name[32];
    const char *text;
    int next = 0;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, settings))));
    for (int i = 0; i < 20000; i++)
        fripp_format_send (ctx, "line.%d:1|c", i);
    stream_need (s, 20000);
    text = stream_text (s);
    while (next < 20000) {
        int len = snprintf (name, sizeof (name), "line.%d:1|c\n", next);

        if (strncmp (text, name, len) != 0)
            break;
        text += len;
        next++;
    }
    is_int (next, 20000, "20,000 lines in order%s", settings);
    is_int (stream_connections (s), 1, "over one connection");
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

static void test_later (const char *where)
{
    struct stream *s = stream_listen (where);
    struct logbook book = { 0 };
    struct fripp_ctx *ctx;
    double begin;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?period=0.01"))));
    stream_drop (s);
    fripp_set_log (ctx, logbook_write, &book);
    fripp_inc (ctx, "n", 1);
    fripp_timing (ctx, "t", 1);
    begin = now_ms ();
    ok (FAILS (fripp_flush (ctx), EAGAIN), "no server at %s: flush",
        stream_uri (s, ""));
    ok (now_ms () - begin < 1000, "takes its 100 ms");
    fripp_inc (ctx, "n", 2);
    ok (logbook_wait (&book, 1, DEADLINE)
            && strstr (book.text[0], "cannot send to ") != NULL,
        "it is logged: %s", book.text[0]);
    stream_reopen (s);
    stream_need (s, 3);
    is_str (stream_text (s), "n:1|c\nt:1|ms\nn:2|c\n",
            "the server comes: all arrives");
    for (int i = 0; i < 200 && logbook_count (&book) < 2; i++) {
        fripp_inc (ctx, "more", 1);
        rest_ms (10);
    }
    ok (logbook_wait (&book, 2, DEADLINE)
            && strstr (book.text[1], " again, after ") != NULL,
        "its end is logged: %s", book.text[1]);
    fripp_ctx_destroy (ctx);
    stream_destroy (s);
}

int main (void)
{
    char path[200];
    char name[64];

    snprintf (path, sizeof (path), "%s/stream", scratch_dir ());
    snprintf (name, sizeof (name), "@fripp-t-stream-%d", (int)getpid ());
    test_lines ("tcp", "TCP");
    test_lines (path, "a UNIX path");
    test_lines (name, "an abstract name");
    test_name ();
    test_period_0 ();
    test_much ("tcp", "");
    test_much ("tcp", "?mtu=512");
    test_much (path, "?mtu=65507");
    test_later ("tcp");
    test_later (path);
    return done_testing ();
}
