/* Packets with a Flux handle: those of one turn of the reactor go together,
 * at its end, or those of several turns where many send. A reactor that does
 * not turn delays none.
 *
 * clock_gettime () of this program stands in for the C library's, so that a
 * turn takes as long as a test says.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <flux/core.h>
#include <fripp.h>

#include "flux-standin/standin.h"
#include "listener.h"
#include "proc.h"
#include "tap.h"

#define MTU 1440
#define TURNS 1000      /* so many in a row send at their ends */
#define MS 1000000LL

static struct listener *server;
static atomic_llong ahead;      /* of the kernel's clock, in ns */
static atomic_llong held;       /* where it stands still: the time, in ns */

static long long kernel_now (clockid_t clock)
{
    struct timespec ts;

    syscall (SYS_clock_gettime, clock, &ts);
    return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

int clock_gettime (clockid_t clock, struct timespec *ts)
{
    long long now = kernel_now (clock);

    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
        now = held ? held : now + ahead;
    ts->tv_sec = now / (1000 * MS);
    ts->tv_nsec = now % (1000 * MS);
    return 0;
}

/* The clock stands still until the test lets time go by, or lets go.
 */
static void hold_clock (void)
{
    held = kernel_now (CLOCK_MONOTONIC) + ahead;
}

static void pass (long long ns)
{
    held += ns;
}

static void release_clock (void)
{
    ahead = held - kernel_now (CLOCK_MONOTONIC);
    held = 0;
}

static struct fripp_ctx *open_with (flux_t *h, const char *query)
{
    struct fripp_ctx *ctx;
    char uri[128];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d%s", listener_port (server),
              query);
    if (!(ctx = fripp_ctx_create_uri (h, uri)))
        bail_out ("no context of %s", uri);
    return ctx;
}

/* A context whose reactor is known to turn, while the clock stands still.
 */
static struct fripp_ctx *open_turning (flux_t *h, const char *query)
{
    struct fripp_ctx *ctx = open_with (h, query);

    hold_clock ();
    (void)fripp_format_send (ctx, "first:1|c");
    standin_advance (h, 0);
    listener_need (server, 1);
    listener_clear (server);
    return ctx;
}

static void close_turning (flux_t *h, struct fripp_ctx *ctx)
{
    release_clock ();
    fripp_ctx_destroy (ctx);
    flux_close (h);
    (void)listener_quiet (server, 0);
    listener_clear (server);
}

static size_t pending (struct fripp_ctx *ctx)
{
    struct fripp_stats s;

    if (fripp_get_stats (ctx, &s, sizeof (s)) < 0)
        return (size_t)-1;
    return s.pending;
}

/* What is there: what was sent over loopback has arrived.
 */
static size_t arrived (void)
{
    return listener_quiet (server, 0);
}

static bool got (size_t i, const char *text)
{
    return i < listener_count (server)
           && listener_got (server, i, text, strlen (text));
}

/* The lines "line.<i>:1|c" in order, in datagrams that have no room for the
 * first of the next.
 */
static bool in_order (int lines, size_t mtu)
{
    size_t at = 0;
    size_t len = 0;

    for (int i = 0; i < lines; i++) {
        char line[32];
        int n = snprintf (line, sizeof (line), "line.%d:1|c", i);

        if (len > 0 && len + 1 + n > mtu) {
            at++;
            len = 0;
        }
        if (at >= listener_count (server)
            || len + (len > 0) + n > listener_get (server, at)->len
            || memcmp (listener_get (server, at)->data + len + (len > 0),
                       line, n))
            return false;
        len += (len > 0) + n;
        if (i == lines - 1 && listener_get (server, at)->len != len)
            return false;
    }
    return listener_count (server) == at + (lines > 0);
}

static int send_lines (struct fripp_ctx *ctx, int lines)
{
    int failed = 0;

    for (int i = 0; i < lines; i++)
        failed += fripp_format_send (ctx, "line.%d:1|c", i) != 0;
    return failed;
}

static void test_turns (void)
{
    static const int counts[] = { 1, 2, 45, 1000, 3500 };
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");

    for (size_t i = 0; i < sizeof (counts) / sizeof (counts[0]); i++) {
        int failed = send_lines (ctx, counts[i]);

        if (counts[i] <= 1000)
            is_int (arrived (), 0, "%d calls in a turn: nothing is sent yet",
                    counts[i]);
        standin_advance (h, 0);
        (void)arrived ();
        ok (failed == 0 && in_order (counts[i], MTU), "%d calls: in order, in "
            "datagrams as full as they can be, at its end", counts[i]);
        diag ("%zu datagrams", listener_count (server));
        is_int (standin_active (h), 0, "and no watcher is left that keeps the "
                "reactor");
        listener_clear (server);
    }
    close_turning (h, ctx);

    h = standin_open (0);
    ctx = open_turning (h, "?mtu=512");
    send_lines (ctx, 100);
    standin_advance (h, 0);
    (void)arrived ();
    ok (in_order (100, 512), "in datagrams of the mtu of the URI");
    close_turning (h, ctx);
}

static void three_calls (flux_reactor_t *r, flux_watcher_t *w, int revents,
                         void *arg)
{
    (void)r;
    (void)w;
    (void)revents;
    send_lines (arg, 3);
}

static void test_callbacks (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");
    flux_watcher_t *w = flux_timer_watcher_create (flux_get_reactor (h), 1, 1,
                                                   three_calls, ctx);

    flux_watcher_start (w);
    is_int (standin_advance (h, 20), 20, "20 turns, in which a callback "
            "makes three calls");
    is_int (arrived (), 20, "are 20 datagrams");
    flux_watcher_destroy (w);
    close_turning (h, ctx);
}

/* One line in each of so many turns.
 */
static void turn_often (flux_t *h, struct fripp_ctx *ctx, int turns)
{
    for (int i = 0; i < turns; i++) {
        fripp_format_send (ctx, "line.%d:1|c", i);
        standin_advance (h, 0);
        if (i % 32 == 31)
            (void)arrived ();
    }
    (void)arrived ();
}

static void test_many_turns (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");

    turn_often (h, ctx, TURNS);
    is_int (listener_count (server), TURNS, "%d turns in a row: each sends at "
            "its end", TURNS);
    is_int (standin_active (h), 0, "and no watcher is left");
    listener_clear (server);
    turn_often (h, ctx, 100);
    is_int (listener_count (server), 0, "the lines of 100 more wait");
    is_int (standin_active (h), 1, "for a timer");
    pass (5 * MS);
    standin_advance (h, 0.005);
    (void)arrived ();
    ok (in_order (100, MTU), "that sends them after 5 ms, in order, in "
        "datagrams as full as they can be");
    is_int (standin_active (h), 0, "and rests");
    listener_clear (server);

    turn_often (h, ctx, 10);
    is_int (listener_count (server), 0, "the next lines wait again");
    ok (fripp_flush (ctx) == 0 && arrived () == 1 && in_order (10, MTU),
        "fripp_flush sends them");
    listener_clear (server);
    turn_often (h, ctx, 10);
    pass (4 * MS);
    turn_often (h, ctx, 10);
    is_int (listener_count (server), 0, "lines wait until");
    pass (3 * MS);
    fripp_format_send (ctx, "late:1|c");
    ok (arrived () == 2 && got (1, "late:1|c"), "a call finds that their "
        "timer is late, and sends them first");
    listener_clear (server);

    standin_advance (h, 0.01);
    for (int i = 0; i < 12; i++) {
        pass (500 * MS);
        fripp_format_send (ctx, "slow:1|c");
        standin_advance (h, 0.5);
    }
    (void)arrived ();
    listener_clear (server);
    turn_often (h, ctx, TURNS - 1);
    is_int (listener_count (server), TURNS - 1, "6 s later %d turns send at "
            "their ends again", TURNS - 1);
    listener_clear (server);
    turn_often (h, ctx, 200);
    fripp_ctx_destroy (ctx);
    ok (arrived () && in_order (200, MTU), "destroy sends what waits");
    is_int (standin_watchers (h), 0, "and leaves no watcher");
    release_clock ();
    flux_close (h);
    listener_clear (server);
}

static void test_texts (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");
    char line[MTU + 2];

    memset (line, 'x', MTU + 1);
    line[MTU + 1] = '\0';
    ok (fripp_format_send (ctx, "a:1|c\n\nb:1|c\n") == 0
        && fripp_sendf (ctx, "%s", "") == 0
        && fripp_format_send (ctx, "\n") == 0,
        "lines, empty lines, nothing");
    errno = 0;
    ok (fripp_format_send (ctx, "c:1|c\n%s\nd:1|c", line) == -1
        && errno == EMSGSIZE, "a line that is too long fails at once");
    errno = 0;
    ok (fripp_format_send (ctx, "e:1|c\nf:%c", 0) == -1 && errno == EINVAL,
        "a NUL byte, too");
    is_int (pending (ctx), strlen ("a:1|c\nb:1|c\nc:1|c\nd:1|c\ne:1|c"),
            "fripp_get_stats: what is collected is pending");
    standin_advance (h, 0);
    ok (arrived () == 1 && got (0, "a:1|c\nb:1|c\nc:1|c\nd:1|c\ne:1|c"),
        "the other lines go together");
    is_int (pending (ctx), 0, "and nothing is pending");
    listener_clear (server);
    line[MTU] = '\0';
    fripp_format_send (ctx, "g:1|c");
    fripp_format_send (ctx, "%s", line);
    fripp_format_send (ctx, "h:1|c");
    standin_advance (h, 0);
    ok (arrived () == 3 && got (0, "g:1|c") && got (1, line)
        && got (2, "h:1|c"), "the longest line has a datagram of its own");
    close_turning (h, ctx);
}

/* Each call sends at once.
 */
static bool goes_at_once (struct fripp_ctx *ctx, int calls)
{
    bool right = true;

    (void)arrived ();
    listener_clear (server);
    for (int i = 0; i < calls; i++) {
        (void)fripp_format_send (ctx, "line.%d:1|c", i);
        right = right && arrived () == (size_t)i + 1;
    }
    listener_clear (server);
    return right;
}

static void test_at_once (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_with (h, "");
    int starts = standin_calls ("flux_watcher_start");

    ok (goes_at_once (ctx, 100), "a reactor that never turned: each call "
        "sends at once");
    is_int (standin_calls ("flux_watcher_start") - starts, 1,
            "and one call of Flux is made in all");
    fripp_ctx_destroy (ctx);
    ctx = open_turning (h, "");
    pass (1000 * MS);
    ok (goes_at_once (ctx, 100), "so it is after a second without a turn");
    standin_advance (h, 0);
    (void)fripp_format_send (ctx, "a:1|c");
    is_int (arrived (), 0, "until the reactor turns again");
    release_clock ();
    fripp_ctx_destroy (ctx);
    flux_close (h);
    (void)arrived ();

    ctx = open_with (NULL, "");
    ok (goes_at_once (ctx, 100), "so it is without a handle");
    fripp_ctx_destroy (ctx);
}

static void test_old (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");

    fripp_format_send (ctx, "a:1|c");
    pass (MS / 2);
    fripp_format_send (ctx, "b:1|c");
    pass (MS / 2);
    is_int (arrived (), 0, "lines wait for 1 ms");
    pass (1);
    fripp_format_send (ctx, "c:1|c");
    ok (arrived () == 2 && got (0, "a:1|c\nb:1|c") && got (1, "c:1|c"),
        "a call that finds them older sends them first");
    ok (goes_at_once (ctx, 10), "and then calls send at once");
    standin_advance (h, 0);
    fripp_format_send (ctx, "d:1|c");
    is_int (arrived (), 0, "until the turn has come to its end");
    close_turning (h, ctx);
}

static void *send_one (void *arg)
{
    return fripp_format_send (arg, "other:1|c") == 0 ? NULL : arg;
}

static void test_threads (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");
    pthread_t thread;
    void *failed;

    fripp_format_send (ctx, "own:1|c");
    pthread_create (&thread, NULL, send_one, ctx);
    pthread_join (thread, &failed);
    ok (!failed && arrived () == 2 && got (0, "own:1|c")
        && got (1, "other:1|c"),
        "another thread's call sends at once, what is collected first");
    fripp_format_send (ctx, "own:2|c");
    standin_advance (h, 0);
    ok (arrived () == 3 && got (2, "own:2|c"), "the turn goes on");
    close_turning (h, ctx);
}

static void destroy_ctx (void *arg)
{
    fripp_ctx_destroy (arg);
}

static void test_ends (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "");

    send_lines (ctx, 200);
    ok (fripp_flush (ctx) == 0 && arrived () && in_order (200, MTU),
        "fripp_flush sends them");
    listener_clear (server);
    standin_advance (h, 0);
    is_int (arrived (), 0, "and the end of the turn has nothing");
    send_lines (ctx, 200);
    fripp_ctx_destroy (ctx);
    ok (arrived () && in_order (200, MTU), "destroy sends them");
    is_int (standin_watchers (h), 0, "and leaves no watcher");
    listener_clear (server);
    release_clock ();

    ctx = open_turning (h, "");
    flux_aux_set (h, "fripp", ctx, destroy_ctx);
    send_lines (ctx, 200);
    flux_close (h);
    ok (arrived () && in_order (200, MTU), "so does an aux destructor");
    listener_clear (server);
    release_clock ();
}

static bool ended_well (pid_t pid)
{
    int status;

    return waitpid (pid, &status, 0) == pid && status == 0;
}

static void test_processes (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    pid_t pid;

    fflush (stdout);
    if ((pid = fork ()) == 0) {
        ctx = open_turning (h, "");
        send_lines (ctx, 200);
        release_clock ();
        exit (0);
    }
    ok (ended_well (pid) && arrived () > 1, "a process that exits");
    listener_clear (server);

    ctx = open_turning (h, "");
    send_lines (ctx, 200);
    if ((pid = fork ()) == 0) {
        bool none = pending (ctx) == 0;

        fripp_format_send (ctx, "child:1|c");
        fripp_ctx_destroy (ctx);
        exit (!none);
    }
    ok (ended_well (pid) && arrived () == 1 && got (0, "child:1|c"),
        "fork: a child has none of them, and sends at once");
    listener_clear (server);
    standin_advance (h, 0);
    ok (arrived () && in_order (200, MTU), "the parent sends all");
    close_turning (h, ctx);
}

/* What the kernel does not take waits as ever.
 */
static void test_outage (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_turning (h, "?buffer=4096");
    struct fripp_stats s;
    size_t most = 0;
    double end;

    release_clock ();
    listener_drop (server);
    for (int i = 0; i < 1000; i++) {
        fripp_format_send (ctx, "a.longer.line.%d:1|c", i);
        most = pending (ctx) > most ? pending (ctx) : most;
        if (i % 100 == 99)
            standin_advance (h, 0);
    }
    ok (most > 2000 && most <= 4096, "no server: up to the buffer of the URI "
        "is kept, %zu bytes", most);
    listener_reopen (server);
    end = now_ms () + DEADLINE;
    while (pending (ctx) > 0 && now_ms () < end)
        standin_advance (h, 0.1);
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.pending == 0 && s.lines + s.dropped_full == 1001,
        "it comes: each line was sent, or is counted as dropped");
    fripp_ctx_destroy (ctx);
    flux_close (h);
    listener_clear (server);
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    test_turns ();
    test_callbacks ();
    test_many_turns ();
    test_texts ();
    test_at_once ();
    test_old ();
    test_threads ();
    test_ends ();
    test_processes ();
    test_outage ();
    listener_destroy (server);
    return done_testing ();
}
