/* Out of descriptors: contexts to one endpoint share a socket, and each
 * still knows what became of its own datagrams.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define CONTEXTS 100000
#define PART 10000

static struct rlimit whole;

/* From now on there are so many descriptors more than are open.
 */
static void allow_fds (int more)
{
    struct rlimit limit = whole;
    int highest = dup (0);

    close (highest);
    limit.rlim_cur = (rlim_t)(highest + more);
    if (setrlimit (RLIMIT_NOFILE, &limit) < 0)
        bail_out ("setrlimit: %s", strerror (errno));
}

static void allow_all (void)
{
    (void)setrlimit (RLIMIT_NOFILE, &whole);
}

/* A server takes a descriptor, too.
 */
static void reopen (struct listener *server)
{
    allow_all ();
    listener_reopen (server);
    allow_fds (0);
}

static double cpu_ms (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static struct fripp_ctx *ctx[CONTEXTS];

/* One after the other, and no faster than the server reads.
 */
static void use_all (struct listener *server, struct reader *r, int *failed)
{
    size_t count = 0;

    for (int i = 0; i < CONTEXTS; i++) {
        *failed += fripp_inc (ctx[i], "n", i % 10) != 0;
        *failed += fripp_timing (ctx[i], "t", 2) != 0;
        *failed += fripp_format_send (ctx[i], "p:1|c") != 0;
        flush_all (ctx[i]);
        count += 3;
        if (i % 100 == 99) {
            listener_need_lines (server, count);
            reader_read_all (r, server, listener_count (server));
            listener_clear (server);
            count = 0;
        }
    }
}

static void test_many (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct reader *r = reader_create (FRIPP_BRUBECK);
    double created[2] = { 0 };
    double destroyed[2] = { 0 };
    double start;
    int failed = 0;
    long before;
    int fds;
    pid_t pid;
    int status;

    fds = count_fds ();
    allow_fds (8);
    before = resident_kib ();
    for (int i = 0; i < CONTEXTS; i++) {
        start = cpu_ms ();
        ctx[i] = ctx_open (server, NEVER);
        if (i / PART == 1)
            created[0] += cpu_ms () - start;
        if (i / PART == CONTEXTS / PART - 1)
            created[1] += cpu_ms () - start;
    }
    diag ("an idle context: %.2f KiB", (double)(resident_kib () - before)
          / CONTEXTS);
    ok (resident_kib () - before < 4L * CONTEXTS,
        "100,000 contexts: less than 4 KiB each");
    use_all (server, r, &failed);
    is_int (failed, 0, "100,000 contexts and 8 descriptors: all calls are "
            "taken");
    is_int (reader_get (r, "n", "c")->sum, CONTEXTS / 10 * 45,
            "the sum of their counters is right");
    is_int (reader_get (r, "t", "ms")->values, CONTEXTS, "each timing is "
            "there");
    is_int (reader_get (r, "p", "c")->sum, CONTEXTS, "and each packet");
    allow_all ();
    ok (!reader_bad (r) && count_fds () <= fds + 8, "from 8 sockets");
    diag ("with two metrics and a packet sent: %.2f KiB each",
          (double)(resident_kib () - before) / CONTEXTS);

    fflush (NULL);
    start = now_ms ();
    if ((pid = fork ()) == 0) {
        int rc = fripp_inc (ctx[5], "child", 1) || fripp_flush (ctx[5]);

        _exit (rc);
    }
    diag ("fork () with 100,000 contexts took %.0f ms", now_ms () - start);
    ok (waitpid (pid, &status, 0) == pid && status == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "child:1|c", 9),
        "a child of a process with 100,000 contexts sends");
    for (int i = 0; i < CONTEXTS; i++) {
        start = cpu_ms ();
        fripp_ctx_destroy (ctx[i]);
        if (i / PART == 1)
            destroyed[0] += cpu_ms () - start;
        if (i / PART == CONTEXTS / PART - 1)
            destroyed[1] += cpu_ms () - start;
    }
    diag ("to create one: %.2f us, then %.2f; to destroy one: %.2f, then "
          "%.2f", created[0] * 1e3 / PART, created[1] * 1e3 / PART,
          destroyed[0] * 1e3 / PART, destroyed[1] * 1e3 / PART);
    ok (created[1] < created[0] * 4 + 50 && destroyed[0] < destroyed[1] * 4
        + 50, "to create and to destroy one takes as long among 100,000 as "
        "among 10,000");
    allow_all ();
    is_int (count_fds (), fds, "no descriptor is left");
    reader_destroy (r);
    listener_destroy (server);
}

static unsigned long long lost_of (struct fripp_ctx *c)
{
    struct fripp_stats stats;

    fripp_get_stats (c, &stats, sizeof (stats));
    return stats.dropped_send;
}

/* Who lost what, when the server goes.
 */
static void test_refusals (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *owner = ctx_open (server, NEVER);
    struct fripp_ctx *guest = ctx_open (server, NEVER);
    struct logbook book = { 0 };
    struct fripp_stats stats;

    fripp_set_log (guest, logbook_write, &book);
    fripp_format_send (owner, "owner:1|c");
    /* a context has already looked once */
    fripp_format_send (owner, "owner:2|c");
    listener_need (server, 2);
    listener_drop (server);
    /* not looked at: the owner does not know that it was refused */
    fripp_format_send (owner, "owner:3|c\nowner:4|c");
    allow_fds (0);
    fripp_format_send (guest, "guest:1|c");
    fripp_get_stats (guest, &stats, sizeof (stats));
    ok (stats.dropped_send == 0 && stats.lines == 0 && stats.pending == 9,
        "a borrowed socket: what was refused is kept by whose it is");
    is_int (lost_of (owner), 0, "the owner has not sent since");
    reopen (server);
    fripp_format_send (owner, "owner:5|c");
    is_int (lost_of (owner), 2, "what the owner had sent without a look is "
            "counted as the owner's");
    flush_all (guest);
    ok (listener_wait (server, 4, DEADLINE) == 4
        && listener_got (server, 2, "owner:5|c", 9)
        && listener_got (server, 3, "guest:1|c", 9)
        && listener_get (server, 3)->port == listener_get (server, 2)->port,
        "when the server is back both send, from one port");
    is_int (lost_of (guest), 0, "and the guest has lost nothing");

    listener_drop (server);
    for (int i = 0; i < 10; i++) {
        fripp_format_send (owner, "owner.kept:%d|c", i);
        fripp_format_send (guest, "guest.kept:%d|c", i);
    }
    reopen (server);
    flush_all (owner);
    flush_all (guest);
    is_int (listener_wait (server, 24, DEADLINE), 24, "while they share, "
            "neither loses anything to a server that restarts");
    ok (lost_of (owner) == 2 && lost_of (guest) == 0, "and neither counts it");

    ok (logbook_count (&book) >= 1
        && strstr (book.text[0], "descriptor") != NULL, "it is logged");
    for (int i = 0; i < logbook_count (&book) && i < LOGBOOK_MAX; i++)
        diag ("level %d: %s", book.level[i], book.text[i]);
    allow_all ();
    fripp_ctx_destroy (owner);
    fripp_format_send (guest, "alone:1|c");
    ok (listener_wait (server, 25, DEADLINE) == 25
        && listener_got (server, 24, "alone:1|c", 9),
        "the owner's end is not that of the socket");
    fripp_ctx_destroy (guest);
    listener_destroy (server);
}

struct guest {
    struct fripp_ctx *ctx;
    struct listener *server;
    int port;
};

/* Sends, and looks at whether it came from another port.
 */
static bool has_own (void *arg)
{
    struct guest *g = arg;
    size_t n = listener_count (g->server);

    fripp_format_send (g->ctx, "again:1|c");
    return listener_wait (g->server, n + 1, DEADLINE) == n + 1
           && listener_get (g->server, n)->port != g->port;
}

static void test_own_again (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *owner = ctx_open (server, NEVER);
    struct fripp_ctx *guest = ctx_open (server, NEVER);
    struct logbook book = { 0 };
    struct guest g = { guest, server, 0 };
    struct fds before;
    int fd[2];

    fripp_set_log (guest, logbook_write, &book);
    fds_list (&before);
    fripp_format_send (owner, "owner:1|c");
    listener_need (server, 1);
    g.port = listener_get (server, 0)->port;
    allow_fds (0);
    ok (!has_own (&g), "the guest sends from the owner's port");
    allow_all ();
    ok (wait_until (has_own, &g, DEADLINE), "with a descriptor to be had, it "
        "soon has a socket of its own");
    is_int (fds_new (&before, fd, 2), 2, "two contexts, two sockets");
    ok (logbook_wait (&book, 2, DEADLINE) && logbook_count (&book) == 2
        && book.level[0] == 3 && book.level[1] == 6, "it is logged once that "
        "it begins, and once that it ends");
    fripp_ctx_destroy (owner);
    fripp_ctx_destroy (guest);
    listener_destroy (server);
}

/* The host closes the descriptor that two contexts share, and has a file of
 * its own with that number.
 */
static void test_closed (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *owner = ctx_open (server, NEVER);
    struct fripp_ctx *guest = ctx_open (server, NEVER);
    struct fds before;
    int file[2];
    int fd[2];

    fds_list (&before);
    fripp_format_send (owner, "owner:1|c");
    listener_need (server, 1);
    fds_new (&before, fd, 2);
    allow_fds (0);
    fripp_format_send (guest, "guest:1|c");
    listener_need (server, 2);
    allow_all ();
    close (fd[0]);
    if (pipe2 (file, O_CLOEXEC | O_NONBLOCK) < 0 || file[0] != fd[0])
        bail_out ("the number is not used again");
    if (dup2 (file[1], fd[0]) < 0)
        bail_out ("dup2: %s", strerror (errno));
    /* past the tick of the clock in which nobody looks again */
    rest_ms (20);
    fripp_format_send (owner, "owner:2|c");
    fripp_format_send (guest, "guest:2|c");
    is_int (listener_wait (server, 4, DEADLINE), 4, "the host closes a "
            "socket that two share: both notice");
    fripp_ctx_destroy (owner);
    fripp_ctx_destroy (guest);
    ok (fcntl (fd[0], F_GETFD) >= 0, "its number is another file's by then: "
        "it is neither written to nor closed");
    close (file[1]);
    close (fd[0]);
    listener_destroy (server);
}

/* A server at a path that went and came: whoever meets it first, all find
 * the new one, without a descriptor more.
 */
static void test_unix (void)
{
    struct listener *server;
    struct fripp_ctx *owner;
    struct fripp_ctx *guest;
    char path[200];
    char uri[256];

    snprintf (path, sizeof (path), "%s/shared", scratch_dir ());
    snprintf (uri, sizeof (uri), "unix:%s?%s", path, NEVER);
    server = listen_unix (path);
    owner = fripp_ctx_create_uri (NULL, uri);
    guest = fripp_ctx_create_uri (NULL, uri);
    fripp_format_send (owner, "owner:1|c");
    allow_fds (0);
    fripp_format_send (guest, "guest:1|c");
    is_int (listener_wait (server, 2, DEADLINE), 2, "a UNIX socket that two "
            "share");
    allow_all ();
    listener_drop (server);
    listener_reopen (server);
    listener_clear (server);
    allow_fds (0);
    fripp_format_send (guest, "guest:2|c");
    flush_all (guest);
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "guest:2|c", 9), "a server that "
        "restarts is found through the socket of a context that is idle");
    fripp_format_send (owner, "owner:2|c");
    flush_all (owner);
    is_int (listener_wait (server, 2, DEADLINE), 2, "and by that context");
    allow_all ();
    fripp_ctx_destroy (owner);
    fripp_ctx_destroy (guest);
    listener_destroy (server);
}

/* None to borrow: it is as if nobody were there.
 */
static void test_none (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *alone = ctx_open (server, "period=0.01");

    allow_fds (0);
    for (int i = 0; i < 10; i++)
        fripp_format_send (alone, "kept:%d|c", i);
    is_int (listener_quiet (server, 0), 0, "no descriptor, and no socket to "
            "borrow: lines are kept");
    allow_all ();
    is_int (listener_wait (server, 10, DEADLINE), 10, "and go when there is "
            "one");
    fripp_ctx_destroy (alone);
    listener_destroy (server);
}

int main (void)
{
    getrlimit (RLIMIT_NOFILE, &whole);
    (void)scratch_dir ();
    test_refusals ();
    test_own_again ();
    test_closed ();
    test_unix ();
    test_none ();
    test_many ();
    return done_testing ();
}
