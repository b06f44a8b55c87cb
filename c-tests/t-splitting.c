/* Texts cut into datagrams at newlines, exactly as the header says.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

#define MAX FRIPP_MAX_PACKET_LEN

static struct listener *server;
static struct fripp_ctx *ctx;

/* Sends a text and returns what it takes to send it: a sentinel goes after
 * it, so that whatever came of the text is there when the sentinel is.
 */
static int send_text (const char *text)
{
    int rc;
    int saved_errno;

    listener_clear (server);
    errno = 0;
    rc = fripp_format_send (ctx, "%s", text);
    saved_errno = errno;
    if (fripp_format_send (ctx, "sentinel:1|c") < 0)
        bail_out ("the sentinel is not sent");
    while (!listener_got (server, listener_count (server) - 1,
                          "sentinel:1|c", 12)) {
        size_t n = listener_count (server);

        if (listener_wait (server, n + 1, DEADLINE) == n)
            bail_out ("the sentinel does not arrive");
    }
    errno = saved_errno;
    return rc;
}

/* How many datagrams came of the text.
 */
static size_t sent (void)
{
    return listener_count (server) - 1;
}

static bool got (size_t i, const char *text)
{
    return listener_got (server, i, text, strlen (text));
}

/* A line of so many bytes, in one of two buffers.
 */
static char *line_of (size_t len, char fill)
{
    static char bufs[2][4096];
    static int next;
    char *buf = bufs[next++ % 2];

    memset (buf, fill, len);
    memcpy (buf, "a:1", len < 3 ? len : 3);
    buf[len] = '\0';
    return buf;
}

static void test_short (void)
{
    ok (send_text ("a:1|c") == 0 && sent () == 1 && got (0, "a:1|c"),
        "one line is one datagram, with nothing added to it");
    ok (send_text ("a:1|c\n") == 0 && sent () == 1 && got (0, "a:1|c"),
        "a newline at the end is not sent");
    ok (send_text ("a:1|c\nb:2|g") == 0 && sent () == 1
        && got (0, "a:1|c\nb:2|g"),
        "a text without a final newline is sent, all lines of it");
    ok (send_text ("a:1|c\nb:2|g\n") == 0 && sent () == 1
        && got (0, "a:1|c\nb:2|g"),
        "lines keep the newlines between them");
    ok (send_text ("\n\na:1|c\n\n\nb:2|g\n\n") == 0 && sent () == 1
        && got (0, "a:1|c\nb:2|g"),
        "empty lines are left out, at the start, inside and at the end");
}

static void test_empty (void)
{
    ok (send_text ("") == 0 && sent () == 0,
        "an empty text is 0 and no datagram");
    ok (send_text ("\n") == 0 && sent () == 0,
        "a newline alone is 0 and no datagram");
    ok (send_text ("\n\n") == 0 && sent () == 0,
        "two newlines are 0 and no datagram");
}

static void test_lengths (void)
{
    char text[8192];
    size_t lens[] = { 126, 127, 128, 254, 255, 256, 1024, MAX - 1, MAX };
    bool whole = true;

    for (size_t i = 0; i < sizeof (lens) / sizeof (lens[0]); i++) {
        char *line = line_of (lens[i], 'x');

        if (send_text (line) != 0 || sent () != 1 || !got (0, line)) {
            diag ("a line of %zu bytes", lens[i]);
            whole = false;
        }
    }
    ok (whole, "lines of up to 1440 bytes go whole");

    ok (send_text (line_of (MAX, 'x')) == 0 && sent () == 1
        && listener_get (server, 0)->len == MAX,
        "a line of 1440 bytes goes whole");
    ok (send_text (line_of (MAX + 1, 'x')) == -1 && errno == EMSGSIZE
        && sent () == 0,
        "a line of 1441 bytes is EMSGSIZE");

    strcpy (text, "a:1|c\n");
    strcat (text, line_of (MAX + 1, 'x'));
    strcat (text, "\nb:2|c\nc:3|c");
    ok (send_text (text) == -1 && errno == EMSGSIZE && sent () == 1
        && got (0, "a:1|c\nb:2|c\nc:3|c"),
        "a line of 1441 bytes among good ones: EMSGSIZE, the others sent");
    ok (sent () == 1, "what follows a line over 1440 is not lost");

    strcpy (text, line_of (MAX + 1, 'x'));
    strcat (text, "\nlast:1|c");
    ok (send_text (text) == -1 && errno == EMSGSIZE && got (0, "last:1|c"),
        "a line of 1441 bytes first: the next one is sent");
    strcpy (text, "first:1|c\n");
    strcat (text, line_of (MAX + 1, 'x'));
    ok (send_text (text) == -1 && errno == EMSGSIZE && sent () == 1
        && got (0, "first:1|c"),
        "a line of 1441 bytes last: the one before is sent");
}

static void test_full (void)
{
    char text[8192];
    char first[2048];

    /* 719 + newline + 720 = 1440: both go into one */
    strcpy (text, line_of (719, 'x'));
    strcat (text, "\n");
    strcat (text, line_of (720, 'y'));
    ok (send_text (text) == 0 && sent () == 1 && got (0, text),
        "two lines that make 1440 bytes together are one datagram");

    strcpy (text, line_of (720, 'x'));
    strcpy (first, text);
    strcat (text, "\n");
    strcat (text, line_of (720, 'y'));
    ok (send_text (text) == 0 && sent () == 2 && got (0, first)
        && got (1, line_of (720, 'y')),
        "two lines that make 1441 bytes together are two");

    strcpy (text, line_of (MAX, 'x'));
    strcat (text, "\n");
    ok (send_text (text) == 0 && sent () == 1
        && got (0, line_of (MAX, 'x')),
        "1440 bytes and a newline are one datagram of 1440");

    strcpy (text, line_of (MAX, 'x'));
    strcat (text, "\nb:2|c");
    ok (send_text (text) == 0 && sent () == 2
        && got (0, line_of (MAX, 'x')) && got (1, "b:2|c"),
        "a full line and a short one are two datagrams");
}

static void test_nul (void)
{
    int rc;

    listener_clear (server);
    errno = 0;
    rc = fripp_format_send (ctx, "a:1|c\nb:%c2|c\nc:3|c", '\0');
    ok (rc == -1 && errno == EINVAL, "a line with a NUL byte is EINVAL");
    ok (listener_wait (server, 1, DEADLINE) == 1 && got (0, "a:1|c\nc:3|c"),
        "the lines before and after it are sent");

    listener_clear (server);
    errno = 0;
    rc = fripp_format_send (ctx, "%c", '\0');
    ok (rc == -1 && errno == EINVAL, "a text of one NUL byte is EINVAL");
    rc = fripp_format_send (ctx, "a:1|c%c\nb:2|c", '\0');
    ok (rc == -1 && errno == EINVAL && listener_wait (server, 1, DEADLINE) == 1
        && got (0, "b:2|c"), "a NUL byte at the end of a line is one in it");
    listener_clear (server);
    rc = fripp_format_send (ctx, "a:1|c\n%c", '\0');
    ok (rc == -1 && errno == EINVAL && listener_wait (server, 1, DEADLINE) == 1
        && got (0, "a:1|c"), "a NUL byte at the end of the text too");

    listener_clear (server);
    errno = 0;
    rc = fripp_format_send (ctx, "%s\nb:%c|c\nc:3|c", line_of (1441, 'x'),
                            '\0');
    ok (rc == -1 && (errno == EINVAL || errno == EMSGSIZE)
        && listener_wait (server, 1, DEADLINE) == 1 && got (0, "c:3|c"),
        "a line too long and one with a NUL byte in one text");
}

/* What the header promises, written down a second time: takes lines while
 * they fit.
 */
static size_t split (const char *text, char *out[], size_t *lens)
{
    size_t n = 0;
    size_t have = 0;
    const char *end;

    for (const char *p = text; *p; p = *end ? end + 1 : end) {
        size_t len;

        end = strchr (p, '\n');
        if (!end)
            end = p + strlen (p);
        len = end - p;
        if (len == 0 || len > MAX)
            continue;
        if (!have || lens[n - 1] + 1 + len > MAX) {
            have = 1;
            lens[n++] = 0;
        }
        if (lens[n - 1])
            out[n - 1][lens[n - 1]++] = '\n';
        memcpy (out[n - 1] + lens[n - 1], p, len);
        lens[n - 1] += len;
    }
    return n;
}

static void test_random (void)
{
    static char text[40000];
    char *out[200];
    size_t lens[200];
    int wrong = 0;

    for (int i = 0; i < 200; i++)
        out[i] = malloc (MAX);
    srand (20210701);
    for (int round = 0; round < 400; round++) {
        size_t len = 0;
        size_t want;
        size_t bound = round % 4 == 0 ? 200 : 20000;

        while (len < bound) {
            int kind = rand () % 10;
            size_t n = kind == 0 ? 0 : kind == 1 ? 1400 + rand () % 80
                       : kind < 4 ? rand () % 400 : 1 + rand () % 60;

            for (size_t i = 0; i < n; i++)
                text[len++] = 'a' + rand () % 26;
            if (len < bound || rand () % 2)
                text[len++] = '\n';
        }
        text[len] = '\0';
        want = split (text, out, lens);
        send_text (text);
        if (sent () != want) {
            diag ("round %d: %zu datagrams, not %zu", round, sent (), want);
            wrong++;
            continue;
        }
        for (size_t i = 0; i < want; i++)
            wrong += !listener_got (server, i, out[i], lens[i]);
    }
    is_int (wrong, 0, "400 random texts: each datagram as full as it can be, "
            "in order, at most 1440 bytes, no empty line");
    for (int i = 0; i < 200; i++)
        free (out[i]);
}

/* The longest datagram of a flush of 1,000 counters, by a URI.
 */
static size_t longest (const char *uri)
{
    struct fripp_ctx *c = fripp_ctx_create_uri (NULL, uri);
    size_t len = 0;
    char name[48];

    if (!c)
        bail_out ("fripp_ctx_create_uri");
    listener_clear (server);
    for (int i = 0; i < 1000; i++) {
        snprintf (name, sizeof (name), "some.name.of.a.metric.%d", i);
        fripp_inc (c, name, 1);
    }
    while (fripp_flush (c) < 0 && errno == EAGAIN)
        ;
    listener_need_lines (server, 1000);
    for (size_t i = 0; i < listener_count (server); i++) {
        if (listener_get (server, i)->len > len)
            len = listener_get (server, i)->len;
    }
    fripp_ctx_destroy (c);
    return len;
}

/* Servers that are known to read larger datagrams receive them, on this
 * host.
 */
static void test_flushed (void)
{
    static const struct {
        const char *query;
        size_t most;
    } rows[] = {
        { "dialect=brubeck", MAX },
        { "dialect=statsd", MAX },
        { "dialect=collectd", MAX },
        { "dialect=telegraf", MAX },
        { "dialect=dogstatsd", 7680 },
        { "dialect=exporter", 7680 },
        { "dialect=gostatsd", 7680 },
        { "dialect=dogstatsd&mtu=1440", 1440 },
        { "dialect=brubeck&mtu=4000", 4000 },
    };
    char uri[128];

    for (size_t i = 0; i < sizeof (rows) / sizeof (rows[0]); i++) {
        size_t len;

        snprintf (uri, sizeof (uri), "127.0.0.1:%d?period=3600&%s",
                  listener_port (server), rows[i].query);
        len = longest (uri);
        ok (len <= rows[i].most && len > rows[i].most - 40,
            "%s: datagrams of up to %zu bytes in a flush", rows[i].query,
            rows[i].most);
    }
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    if (!ctx)
        bail_out ("fripp_ctx_create");

    test_short ();
    test_empty ();
    test_lengths ();
    test_full ();
    test_nul ();
    test_random ();
    test_flushed ();

    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
