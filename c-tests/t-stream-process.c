/* Streams, and what a process does to them: fork, exit, descriptors that are
 * closed.
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
#include <unistd.h>

#include <fripp.h>

#include "context.h"
#include "proc.h"
#include "stream.h"
#include "tap.h"

static bool ended_well (pid_t pid)
{
    int status;

    return waitpid (pid, &status, 0) == pid && status == 0;
}

/* Both go on with the context. The child has a connection of its own, from
 * the first line on.
 */
static void test_fork (const char *where)
{
    struct stream *s = stream_listen (where);
    struct fripp_ctx *ctx;
    const char *text;
    pid_t pid;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    fripp_format_send (ctx, "before:1|c");
    stream_need (s, 1);
    fripp_inc (ctx, "n", 1);
    if ((pid = fork ()) == 0) {
        fripp_inc (ctx, "child", 1);
        fripp_format_send (ctx, "packet:1|c");
        fripp_ctx_destroy (ctx);
        _exit (0);
    }
    ok (ended_well (pid), "%s: a child sends and destroys",
        stream_uri (s, ""));
    fripp_inc (ctx, "parent", 1);
    ok (fripp_flush (ctx) == 0, "its parent goes on");
    stream_need (s, 5);
    is_int (stream_connections (s), 2, "a connection each");
    text = stream_text (s);
    is_str (text, "before:1|c\nn:1|c\nparent:1|c\npacket:1|c\nchild:1|c\n",
            "each sends its own, over its own");
    fripp_ctx_destroy (ctx);
    ok (stream_ended (s, DEADLINE) && stream_torn (s) == 0,
        "both end, with whole lines");
    stream_destroy (s);
}

/* The child of a process whose server reads nothing: what waits, and the part
 * of a line that the kernel has, are the parent's.
 */
static void test_fork_waiting (void)
{
    struct stream *s = stream_listen_small ("tcp");
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    pid_t pid;
    int n = 0;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    do {
        for (int i = 0; i < 1000; i++)
            fripp_packet_appendf (ctx, "parent.%d:1|c", n++);
        (void)fripp_flush (ctx);
        must (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0);
    } while (stats.pending < 50000 && n < 1000000);
    if ((pid = fork ()) == 0) {
        fripp_inc (ctx, "child", 1);
        /* it waits until its connection is accepted, or not at all */
        fripp_ctx_destroy (ctx);
        _exit (0);
    }
    ok (ended_well (pid), "a child, while lines wait in its parent");
    is_int (stream_wait (s, n + 1, DEADLINE), n + 1,
            "all lines of the parent, and the child's");
    is_int (stream_connections (s), 2, "a connection each");
    ok (strstr (stream_text (s), "child:1|c\n") != NULL, "the child's own");
    fripp_ctx_destroy (ctx);
    ok (stream_ended (s, DEADLINE) && stream_torn (s) == 0, "no line torn");
    stream_destroy (s);
}

static void test_exit (const char *where)
{
    struct stream *s = stream_listen (where);
    pid_t pid;

    fflush (stdout);
    if ((pid = fork ()) == 0) {
        struct fripp_ctx *ctx;

        ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER));
        for (int i = 0; i < 1000; i++)
            fripp_timing (ctx, "t", i);
        fripp_inc (ctx, "n", 1000);
        exit (0);
    }
    ok (ended_well (pid), "%s: exit with metrics pending",
        stream_uri (s, ""));
    ok (stream_ended (s, DEADLINE), "ends the connection");
    is_int (stream_lines (s), 1001, "and has sent all");
    stream_destroy (s);
}

/* A host without standard descriptors would print into the stream.
 */
static void test_standard_descriptors (void)
{
    struct stream *s = stream_listen ("tcp");
    pid_t pid;

    fflush (stdout);
    if ((pid = fork ()) == 0) {
        struct fripp_ctx *ctx;

        close (0);
        close (1);
        close (2);
        ctx = fripp_ctx_create_uri (NULL, stream_uri (s, ""));
        fripp_format_send (ctx, "n:1|c");
        (void)!write (1, "printed\n", 8);
        (void)!write (2, "printed\n", 8);
        fripp_ctx_destroy (ctx);
        _exit (0);
    }
    must (ended_well (pid));
    stream_need (s, 1);
    ok (stream_ended (s, DEADLINE), "a program without standard descriptors");
    is_str (stream_text (s), "n:1|c\n", "prints nothing into its stream");
    stream_destroy (s);
}

/* The host closes the library's descriptor, and takes its number.
 */
static void test_closed (void)
{
    struct stream *s = stream_listen ("tcp");
    struct fds before;
    struct fripp_ctx *ctx;
    char path[200];
    int fd, file;

    must ((ctx = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    fds_list (&before);
    fripp_inc (ctx, "n", 1);
    must (fripp_flush (ctx) == 0);
    must (fds_new (&before, &fd, 1) == 1);
    stream_need (s, 1);
    snprintf (path, sizeof (path), "%s/file", scratch_dir ());
    must ((file = open (path, O_RDWR | O_CREAT, 0600)) >= 0);
    must (dup2 (file, fd) == fd);
    fripp_inc (ctx, "n", 2);
    ok (fripp_flush (ctx) == 0, "a flush after another file took the number");
    stream_need (s, 2);
    is_str (stream_text (s), "n:1|c\nn:2|c\n", "goes to the server");
    is_int (lseek (file, 0, SEEK_END), 0, "and not into the file");
    fripp_ctx_destroy (ctx);
    ok (fcntl (fd, F_GETFD) >= 0, "which destroy does not close");
    close (file);
    close (fd);
    stream_destroy (s);
}

/* No descriptor: the lines wait. Nobody else's connection is used.
 */
static void test_no_descriptor (void)
{
    struct stream *s = stream_listen ("tcp");
    struct fripp_ctx *one, *two;
    struct rlimit limit = { MAX_FDS, MAX_FDS };
    int fds[MAX_FDS];
    int n = 0;

    must (setrlimit (RLIMIT_NOFILE, &limit) == 0);
    must ((one = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    must ((two = fripp_ctx_create_uri (NULL, stream_uri (s, "?" NEVER))));
    fripp_format_send (one, "one:1|c");
    stream_need (s, 1);
    while (n < MAX_FDS && (fds[n] = dup (0)) >= 0)
        n++;
    must (n < MAX_FDS);
    ok (fripp_format_send (two, "two:1|c") == 0, "no descriptor: it is kept");
    ok (FAILS (fripp_flush (two), EAGAIN), "and cannot go");
    while (n > 0)
        close (fds[--n]);
    flush_all (two);
    stream_need (s, 2);
    is_int (stream_connections (s), 2, "it goes when there is one");
    fripp_ctx_destroy (one);
    fripp_ctx_destroy (two);
    stream_destroy (s);
}

int main (void)
{
    char path[200];

    snprintf (path, sizeof (path), "%s/stream", scratch_dir ());
    test_fork ("tcp");
    test_fork (path);
    test_fork_waiting ();
    test_exit ("tcp");
    test_exit (path);
    test_standard_descriptors ();
    test_closed ();
    test_no_descriptor ();
    return done_testing ();
}
