/* A wrong FLUX_FRIPP_STATSD is never silent: a log function receives it, or
 * stderr gets one line. The same of a host that has no address.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

#define REASON "FLUX_FRIPP_STATSD parse error: no port in 'localhost'"
#define LINE "fripp: " REASON ": no metric is sent\n"

static struct fripp_ctx *create (void)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, NULL);

    if (!ctx || fripp_enabled (ctx))
        _exit (2);
    return ctx;
}

static void one_that_exits (void)
{
    (void)create ();
}

static void three_that_are_destroyed (void)
{
    for (int i = 0; i < 3; i++)
        fripp_ctx_destroy (create ());
}

static void one_with_a_log_function (void)
{
    struct logbook book = { 0 };
    struct fripp_ctx *ctx = create ();

    if (fripp_set_log (ctx, logbook_write, &book) < 0
        || logbook_count (&book) != 1 || book.level[0] != 3
        || strcmp (book.text[0], REASON)
        || fripp_set_log (ctx, logbook_write, &book) < 0
        || logbook_count (&book) != 1)
        _exit (3);
    if (!wait_threads (1, DEADLINE))
        _exit (4);
    fripp_ctx_destroy (ctx);
}

static void one_whose_child_exits (void)
{
    int status;
    pid_t pid;

    (void)create ();
    if ((pid = fork ()) == 0)
        exit (0);
    if (waitpid (pid, &status, 0) != pid || status != 0)
        _exit (3);
}

static void one_that_runs_on (void)
{
    (void)create ();
    pause ();
}

/* A host without an address, which the resolver of this test has not.
 */
#define LOOKUP "DD_AGENT_HOST parse error: cannot look up nohost.test: "
#define LOOKUP_LINE "fripp: " LOOKUP

static struct fripp_ctx *create_for_host (void)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, NULL);

    if (!ctx || !fripp_enabled (ctx) || fripp_inc (ctx, "n", 1) < 0)
        _exit (2);
    return ctx;
}

static void two_without_an_address (void)
{
    (void)create_for_host ();
    (void)create_for_host ();
}

static void one_without_an_address_and_a_log_function (void)
{
    struct logbook book = { 0 };
    struct fripp_ctx *ctx = create_for_host ();

    if (fripp_set_log (ctx, logbook_write, &book) < 0
        || !logbook_wait (&book, 1, DEADLINE)
        || strncmp (book.text[0], LOOKUP, strlen (LOOKUP)))
        _exit (3);
}

static void one_given_a_uri (void)
{
    (void)fripp_inc (fripp_ctx_create_uri (NULL, "nohost.test:1"), "n", 1);
}

/* Starts a process whose stderr is the pipe that it returns.
 */
static int start (void (*run) (void), pid_t *pid)
{
    int fds[2];

    if (pipe (fds) < 0 || (*pid = fork ()) < 0)
        bail_out ("pipe or fork: %s", strerror (errno));
    if (*pid == 0) {
        dup2 (fds[1], STDERR_FILENO);
        close (fds[0]);
        close (fds[1]);
        run ();
        exit (0);
    }
    close (fds[1]);
    return fds[0];
}

static void end (pid_t pid, int want, const char *what)
{
    int status;

    if (waitpid (pid, &status, 0) != pid)
        bail_out ("waitpid: %s", strerror (errno));
    is_int (status, want, "%s: its status", what);
}

static void printed (void (*run) (void), char *text, size_t size,
                     const char *what)
{
    size_t len = 0;
    ssize_t n;
    pid_t pid;
    int fd = start (run, &pid);

    while ((n = read (fd, text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close (fd);
    end (pid, 0, what);
}

static void test_prints (void (*run) (void), const char *want,
                         const char *what)
{
    char text[1024];

    printed (run, text, sizeof (text), what);
    is_str (text, want, "%s", what);
}

/* The resolver's own words stand in the middle.
 */
static void test_lookup (void)
{
    const char *what = "a host without an address, of two contexts";
    const char *tail = ": no metric is sent\n";
    char text[1024];
    size_t len;

    resolver_answer (NULL);
    unsetenv ("FLUX_FRIPP_STATSD");
    setenv ("DD_AGENT_HOST", "nohost.test", 1);
    printed (two_without_an_address, text, sizeof (text), what);
    len = strlen (text);
    ok (!strncmp (text, LOOKUP_LINE, strlen (LOOKUP_LINE))
            && len > strlen (tail) && !strcmp (text + len - strlen (tail), tail)
            && strchr (text, '\n') == text + len - 1,
        "%s: one line: %s", what, text);
    test_prints (one_without_an_address_and_a_log_function, "",
                 "a log function has it alone, too");
    test_prints (one_given_a_uri, "", "a URI that is given prints nothing");
}

static void test_runs_on (void)
{
    struct pollfd ready = { .events = POLLIN };
    char text[1024];
    ssize_t n = 0;
    pid_t pid;

    ready.fd = start (one_that_runs_on, &pid);
    if (poll (&ready, 1, DEADLINE) == 1)
        n = read (ready.fd, text, sizeof (text) - 1);
    text[n > 0 ? n : 0] = '\0';
    is_str (text, LINE, "a process that runs on has printed it");
    kill (pid, SIGTERM);
    end (pid, SIGTERM, "it");
    close (ready.fd);
}

int main (void)
{
    pid_t pid;

    setenv ("FLUX_FRIPP_STATSD", "localhost", 1);
    test_prints (one_that_exits, LINE, "a process that exits at once");
    test_prints (three_that_are_destroyed, LINE, "three contexts: one line");
    test_prints (one_with_a_log_function, "", "a log function has it alone");
    test_prints (one_whose_child_exits, LINE, "a parent, not its child");
    test_runs_on ();
    close (start (one_that_exits, &pid));
    end (pid, 0, "nobody reads stderr");
    test_lookup ();
    return done_testing ();
}
