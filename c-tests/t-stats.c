/* fripp_get_stats (): what is counted, and callers older and newer than the
 * library.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

static void test_layout (void)
{
    static const size_t offsets[] = {
        offsetof (struct fripp_stats, lines),
        offsetof (struct fripp_stats, datagrams),
        offsetof (struct fripp_stats, bytes),
        offsetof (struct fripp_stats, dropped),
        offsetof (struct fripp_stats, dropped_invalid),
        offsetof (struct fripp_stats, dropped_oversize),
        offsetof (struct fripp_stats, dropped_full),
        offsetof (struct fripp_stats, dropped_send),
        offsetof (struct fripp_stats, pending),
        offsetof (struct fripp_stats, send_errors),
        offsetof (struct fripp_stats, reconnects),
        offsetof (struct fripp_stats, resolutions),
    };
    bool right = true;

    for (size_t i = 0; i < sizeof (offsets) / sizeof (offsets[0]); i++)
        right = right && offsets[i] == i * sizeof (uint64_t);
    ok (right, "the fields are uint64_t in the order promised");
}

static void test_sizes (struct fripp_ctx *ctx)
{
    union {
        struct fripp_stats stats;
        unsigned char bytes[1024];
    } u;
    struct fripp_stats whole;
    bool right = true;

    fripp_get_stats (ctx, &whole, sizeof (whole));
    for (size_t size = 1; size <= sizeof (whole); size++) {
        memset (&u, 0xa5, sizeof (u));
        right = right && fripp_get_stats (ctx, &u.stats, size) == 0
                && !memcmp (&u, &whole, size);
        for (size_t i = size; i < sizeof (u); i++)
            right = right && u.bytes[i] == 0xa5;
    }
    ok (right, "a short size: so many bytes are written and no more");

    memset (&u, 0xa5, sizeof (u));
    ok (fripp_get_stats (ctx, &u.stats, 1000) == 0
        && !memcmp (&u, &whole, sizeof (whole)), "a long size is taken");
    right = true;
    for (size_t i = sizeof (whole); i < 1000; i++)
        right = right && u.bytes[i] == 0;
    for (size_t i = 1000; i < sizeof (u); i++)
        right = right && u.bytes[i] == 0xa5;
    ok (right, "what the library does not know is zeroed, and no more");

    memset (&u, 0xa5, sizeof (u));
    errno = 0;
    ok (fripp_get_stats (ctx, &u.stats, 0) == -1 && errno == EINVAL
        && u.bytes[0] == 0xa5, "size 0 is EINVAL and writes nothing");
}

static void test_counts (struct fripp_ctx *ctx, struct listener *server)
{
    struct fripp_stats s;
    size_t bytes = 0;
    char line[1500];

    ok (fripp_get_stats (ctx, &s, sizeof (s)) == 0 && s.lines == 0
        && s.datagrams == 0 && s.bytes == 0 && s.dropped == 0
        && s.pending == 0 && s.send_errors == 0 && s.reconnects == 0
        && s.resolutions == 0, "a new context has counted nothing");

    listener_start (server);
    for (int i = 0; i < 500; i++) {
        fripp_format_send (ctx, "a:%d|c", i);
        fripp_format_send (ctx, "b:%d|c\nc:%d|c\n\nd:%d|c\n", i, i, i);
        listener_need_lines (server, (i + 1) * 4);
    }
    memset (line, 'x', 1000);
    line[1000] = '\0';
    fripp_format_send (ctx, "%s\n%s\n%s", line, line, line);
    listener_need_lines (server, 2003);
    listener_stop (server);
    for (size_t i = 0; i < listener_count (server); i++)
        bytes += listener_get (server, i)->len;
    fripp_get_stats (ctx, &s, sizeof (s));
    is_int (s.lines, listener_lines (server),
            "lines: as many as the server got");
    is_int (s.datagrams, listener_count (server),
            "datagrams: as many as the server got");
    is_int (s.bytes, bytes, "bytes: as many as the server got");
    ok (s.dropped == 0 && s.pending == 0 && s.send_errors == 0,
        "nothing dropped, nothing pending, no error");
}

static void test_dropped (struct fripp_ctx *ctx)
{
    struct fripp_stats before;
    struct fripp_stats s;
    char line[1500];

    memset (line, 'x', 1441);
    line[1441] = '\0';
    fripp_get_stats (ctx, &before, sizeof (before));
    fripp_format_send (ctx, "%s\na:1|c\n%s", line, line);
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.dropped_oversize == before.dropped_oversize + 2
        && s.dropped == before.dropped + 2 && s.lines == before.lines + 1,
        "lines too long are counted in dropped and dropped_oversize");
    fripp_format_send (ctx, "a%c:1|c\nb:1|c\nc:1%c", '\0', '\0');
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.dropped_invalid == before.dropped_invalid + 2
        && s.dropped == before.dropped + 4 && s.lines == before.lines + 2,
        "lines with a NUL are counted in dropped and dropped_invalid");
    ok (s.dropped == s.dropped_invalid + s.dropped_oversize + s.dropped_full
        + s.dropped_send, "dropped is the sum of its parts");
}

static void test_pending (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    struct fripp_stats s;

    resolver_block (true);
    ctx = fripp_ctx_create (NULL, "slow.example", listener_port (server));
    for (int i = 0; i < 10; i++)
        fripp_format_send (ctx, "a:%d|c", i);
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.pending == 50 && s.lines == 0 && s.datagrams == 0
        && s.resolutions == 0, "pending: the bytes that wait");
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    listener_need (server, 10);
    fripp_ctx_destroy (ctx);

    ctx = fripp_ctx_create (NULL, "other.example", listener_port (server));
    fripp_format_send (ctx, "a:%d|c", 1);
    listener_need (server, 11);
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.lines == 1 && s.pending == 0 && s.resolutions == 1
        && s.reconnects == 0, "resolutions: lookups that ended");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    test_layout ();
    test_counts (ctx, server);
    test_sizes (ctx);
    test_dropped (ctx);
    test_pending ();

    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
