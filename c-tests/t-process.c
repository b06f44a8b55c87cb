/* What a process does beside: fork, exec, exit.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"

static int wait_for (pid_t pid)
{
    int status = -1;

    if (waitpid (pid, &status, 0) != pid)
        return -1;
    return WIFEXITED (status) ? WEXITSTATUS (status) : 1000 + status;
}

/* Descriptors of sockets that are open in a program that was executed.
 */
static void test_exec (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    char cmd[128];

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    fripp_format_send (ctx, "a:1|c");
    snprintf (cmd, sizeof (cmd),
              "exit $(ls -l /proc/self/fd | grep -c socket:)");
    is_int (WEXITSTATUS (system (cmd)), 0, "it inherits no socket");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

static void test_fork (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fds before;
    struct fripp_ctx *ctx;
    int fd[2] = { -1, -1 };
    pid_t pid;
    int port;

    fds_list (&before);
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    fripp_format_send (ctx, "parent:1|c");
    listener_need (server, 1);
    port = listener_get (server, 0)->port;
    fds_new (&before, fd, 2);

    if ((pid = fork ()) == 0) {
        int rc = fripp_format_send (ctx, "child:%d|c", 1);

        fripp_ctx_destroy (ctx);
        _exit (rc ? 1 : 0);
    }
    is_int (wait_for (pid), 0, "fork: the child sends and destroys");
    ok (listener_wait (server, 2, DEADLINE) == 2
        && listener_got (server, 1, "child:1|c", 9), "what it sent arrives");
    ok (listener_get (server, 1)->port != port,
        "the child has a socket of its own");
    fripp_format_send (ctx, "parent:2|c");
    ok (listener_wait (server, 3, DEADLINE) == 3
        && listener_got (server, 2, "parent:2|c", 10)
        && listener_get (server, 2)->port == port,
        "the parent goes on with its own");

    /* a child that closes everything, as daemons do, and opens files */
    if ((pid = fork ()) == 0) {
        int file;
        int rc;

        close (fd[0]);
        file = open ("/dev/null", O_RDWR);
        if (file != fd[0])
            dup2 (file, fd[0]);
        rc = fripp_format_send (ctx, "child:%d|c", 2);
        fripp_ctx_destroy (ctx);
        _exit (rc || fcntl (fd[0], F_GETFD) < 0 ? 1 : 0);
    }
    is_int (wait_for (pid), 0, "a child whose descriptor is a file's by "
            "then: it is neither written to nor closed");
    ok (listener_wait (server, 4, DEADLINE) == 4
        && listener_got (server, 3, "child:2|c", 9), "what it sends arrives");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* Programs that are started without a copy of the process: nothing of this
 * library runs there, and the parent goes on.
 */
static void test_spawn (void)
{
    static char *const argv[] = {
        "sh", "-c", "exit $(ls -l /proc/self/fd | grep -c socket:)", NULL
    };
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (server, NEVER);
    pid_t pid = -1;

    fripp_gauge (ctx, "g", 1, false);
    is_str (flushed (ctx, server), "g:1|g", "before a program is started");
    fripp_inc (ctx, "n", 1);
    ok (posix_spawnp (&pid, "sh", NULL, NULL, argv, environ) == 0
        && wait_for (pid) == 0, "posix_spawn: the program has no socket of "
        "this one");
    fripp_inc (ctx, "n", 1);
    if ((pid = vfork ()) == 0) {
        execvp ("sh", argv);
        _exit (127);
    }
    is_int (wait_for (pid), 0, "vfork: nor has this one");
    fripp_inc (ctx, "n", 1);
    is_str (flushed (ctx, server), "n:3|c", "what the parent recorded before, "
            "between and after is sent once");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

static bool has_line (struct listener *l, const char *line)
{
    char *text = listener_text (l);
    bool found = strstr (text, line) != NULL;

    free (text);
    return found;
}

/* A process that closes every descriptor that it did not open, in a child as
 * daemons do, or as it is.
 */
static void test_close_all (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    pid_t pid;

    fflush (NULL);
    if ((pid = fork ()) == 0) {
        int rc = 0;
        int fd;

        ctx = ctx_open (server, "period=0.05&refresh=0");
        rc |= fripp_gauge (ctx, "level", 7, false) | fripp_flush (ctx);
        rc |= fripp_gauge (ctx, "level", 1, true);
        (void)syscall (SYS_close_range, 3, ~0U, 0);
        /* numbers that are others' from now on */
        for (int i = 0; i < 8; i++)
            fd = open ("/dev/null", O_RDWR);
        if ((pid = fork ()) == 0) {
            rc |= fripp_inc (ctx, "child", 1);
            rc |= fripp_gauge (ctx, "level", 2, true);
            rc |= fripp_flush (ctx);
            _exit (rc);
        }
        rc |= wait_for (pid);
        rc |= fripp_inc (ctx, "parent", 1) | fripp_flush (ctx);
        fripp_ctx_destroy (ctx);
        _exit (rc | (fcntl (fd, F_GETFD) < 0));
    }
    is_int (wait_for (pid), 0, "a process that closes all descriptors, and its "
            "child: both go on");
    listener_quiet (server, 0);
    ok (has_line (server, "parent:1|c") && has_line (server, "child:1|c")
        && has_line (server, "level:8|g"), "and send what they record");
    ok (has_line (server, "level:10|g"), "the child's gauge goes on from the "
        "parent's");
    listener_destroy (server);
}

/* daemon (3), with what was recorded before and after it.
 */
static void test_daemon (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    pid_t pid;

    fflush (NULL);
    if ((pid = fork ()) == 0) {
        struct fripp_ctx *ctx = ctx_open (server, NEVER);

        fripp_gauge (ctx, "level", 5, false);
        fripp_inc (ctx, "before", 1);
        if (fripp_flush (ctx) < 0 || daemon (0, 0) < 0)
            _exit (1);
        fripp_gauge (ctx, "level", 1, true);
        fripp_inc (ctx, "after", 1);
        /* without destroy */
        exit (0);
    }
    is_int (wait_for (pid), 0, "daemon (): the parent ends");
    ok (listener_wait_lines (server, 4, DEADLINE) == 4
        && has_line (server, "before:1|c") && has_line (server, "after:1|c")
        && has_line (server, "level:6|g"), "the daemon goes on, and at its "
        "exit sends what is pending");
    listener_destroy (server);
}

/* exit () on a thread while others record and the background thread is in a
 * turn.
 */
static void *record_on (void *arg)
{
    for (int i = 0; ; i++) {
        char name[32];

        snprintf (name, sizeof (name), "n.%d", i % 20000);
        (void)fripp_inc (arg, name, 1);
        (void)fripp_timing (arg, "t", 1);
    }
    return NULL;
}

static void test_exit_in_turn (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    int failed = 0;
    double longest = 0;

    fflush (NULL);
    for (int i = 0; i < 20; i++) {
        double start = now_ms ();
        pid_t pid;

        if ((pid = fork ()) == 0) {
            struct fripp_ctx *ctx = ctx_open (server, "period=0.01");
            struct timespec pause = { .tv_nsec = 10000000 + i * 777777 };
            pthread_t threads[2];

            for (int j = 0; j < 2; j++)
                pthread_create (&threads[j], NULL, record_on, ctx);
            nanosleep (&pause, NULL);
            exit (0);
        }
        failed += wait_for (pid) != 0;
        if (now_ms () - start > longest)
            longest = now_ms () - start;
        listener_quiet (server, 0);
        listener_clear (server);
    }
    is_int (failed, 0, "exit () while threads record and flush: 20 times "
            "without a crash");
    ok (longest < 5000, "and without a hang");
    diag ("the longest took %.0f ms", longest);
    listener_destroy (server);
}

static void test_fork_pending (void)
{
    struct listener *server;
    struct fripp_ctx *ctx;
    char name[64];
    char uri[80];
    int kept[2];
    pid_t pid;
    int seen = 0;

    snprintf (name, sizeof (name), "@fripp-test-fork-%d", (int)getpid ());
    snprintf (uri, sizeof (uri), "unix:%s", name);
    server = listen_unix (name);
    listener_drop (server);
    ctx = fripp_ctx_create_uri (NULL, uri);
    for (int i = 0; i < 10; i++)
        fripp_format_send (ctx, "kept.%d:1|c", i);
    must (pipe (kept) == 0);
    fflush (NULL);
    if ((pid = fork ()) == 0) {
        struct fripp_stats s;
        int rc = fripp_get_stats (ctx, &s, sizeof (s)) || s.pending;

        rc |= fripp_format_send (ctx, "child:1|c");
        rc |= fripp_format_send (ctx, "child:2|c");
        rc |= fripp_get_stats (ctx, &s, sizeof (s)) || !s.pending;
        rc |= write (kept[1], "", 1) != 1;
        for (int i = 0; i < 2000 && s.pending > 0; i++) {
            rest_ms (10);
            fripp_get_stats (ctx, &s, sizeof (s));
        }
        _exit (rc || s.pending ? 1 : 0);
    }
    close (kept[1]);
    /* the server comes back when the child keeps both, or is dead */
    (void)!read (kept[0], name, 1);
    close (kept[0]);
    listener_reopen (server);
    listener_start (server);
    is_int (wait_for (pid), 0, "a child has nothing pending, keeps what it "
            "sends, and sends it");
    ok (listener_wait (server, 12, DEADLINE) == 12, "it arrives");
    listener_stop (server);
    for (size_t i = 0; i < listener_count (server); i++)
        seen += !strncmp (listener_get (server, i)->data, "kept.", 5);
    is_int (seen, 10, "what waited in the parent is sent once");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* A server that is there when the process ends, and not before.
 */
static void test_exit (void)
{
    struct listener *server;
    char early[200];
    char late[200];
    char uri[256];
    pid_t pid;
    double start;

    snprintf (early, sizeof (early), "%s/early", scratch_dir ());
    snprintf (late, sizeof (late), "%s/late", scratch_dir ());
    snprintf (uri, sizeof (uri), "unix:%s", late);
    server = listen_unix (early);
    start = now_ms ();
    if ((pid = fork ()) == 0) {
        struct fripp_ctx *ctx = fripp_ctx_create (NULL, uri, 0);

        for (int i = 0; i < 10; i++)
            fripp_format_send (ctx, "exit.%d:1|c", i);
        if (rename (early, late) < 0)
            _exit (2);
        exit (0);
    }
    is_int (wait_for (pid), 0, "exit without destroy");
    ok (now_ms () - start < 5000, "it does not hang");
    is_int (listener_quiet (server, 0), 10,
            "exit sends what is pending");
    (void)unlink (late);
    listener_destroy (server);

    snprintf (uri, sizeof (uri), "unix:%s", early);
    start = now_ms ();
    if ((pid = fork ()) == 0) {
        struct fripp_ctx *ctx = fripp_ctx_create (NULL, uri, 0);

        fripp_format_send (ctx, "exit:1|c");
        exit (0);
    }
    ok (wait_for (pid) == 0 && now_ms () - start < 2000,
        "exit with lines that nobody takes ends at once");
}

int main (void)
{
    (void)scratch_dir ();
    test_exec ();
    test_spawn ();
    test_close_all ();
    test_daemon ();
    test_exit_in_turn ();
    test_exit ();
    test_fork ();
    test_fork_pending ();
    return done_testing ();
}
