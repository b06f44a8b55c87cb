/* Forks at the edges: a host whose own handlers of fork () make calls, forks
 * in an atexit handler and in a thread key's destructor, exit while another
 * thread makes contexts. Each process is this program, executed again with an
 * argument.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define ROUNDS 30

static struct fripp_ctx *ctx;
static const char *uri;
static int failed;

static void call (const char *name)
{
    char other[32];

    snprintf (other, sizeof (other), "%s.%d", name, (int)getpid ());
    failed += fripp_inc (ctx, name, 1) != 0;
    failed += fripp_timing (ctx, other, 1) != 0;
    failed += fripp_format_send (ctx, "%s.packet:1|c", name) != 0;
    /* a context of its own, that comes and goes */
    fripp_ctx_destroy (fripp_ctx_create (NULL, "127.0.0.1", 9));
}

static void before_1 (void) { call ("before.1"); }
static void before_2 (void) { call ("before.2"); }
static void parent_1 (void) { call ("parent.1"); }
static void parent_2 (void) { call ("parent.2"); }
static void child_1 (void) { call ("child.1"); }
static void child_2 (void) { call ("child.2"); }

static int fork_and_wait (void)
{
    int status;
    pid_t pid = fork ();

    if (pid < 0)
        return -1;
    if (pid == 0)
        exit (failed ? 4 : 0);
    if (waitpid (pid, &status, 0) != pid)
        return -1;
    return status;
}

/* Handlers of the host, some registered before the library's, some behind.
 */
static int handlers (void)
{
    pthread_atfork (before_1, parent_1, child_1);
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        return 2;
    pthread_atfork (before_2, parent_2, child_2);
    fripp_inc (ctx, "n", 1);
    return fork_and_wait () != 0 || failed ? 3 : 0;
}

static void late_fork (void)
{
    if (fork_and_wait () != 0)
        _exit (3);
}

static int in_atexit (void)
{
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        return 2;
    fripp_inc (ctx, "n", 1);
    /* the last registered runs first */
    atexit (late_fork);
    exit (0);
}

static void key_fork (void *arg)
{
    (void)arg;
    late_fork ();
}

static void *use_key (void *arg)
{
    pthread_setspecific (*(pthread_key_t *)arg, arg);
    fripp_inc (ctx, "n", 1);
    return NULL;
}

static int in_destructor (void)
{
    pthread_key_t key;
    pthread_t thread;

    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        return 2;
    pthread_key_create (&key, key_fork);
    pthread_create (&thread, NULL, use_key, &key);
    pthread_join (thread, NULL);
    return 0;
}

static void *make_contexts (void *arg)
{
    for (;;)
        fripp_ctx_destroy (fripp_ctx_create_uri (NULL, arg));
    return NULL;
}

static int while_contexts_are_made (void)
{
    pthread_t thread;
    double began;

    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        return 2;
    pthread_create (&thread, NULL, make_contexts, (void *)uri);
    began = now_ms ();
    while (now_ms () < began + 3)
        fripp_inc (ctx, "other", 1);
    fripp_inc (ctx, "n", 1);
    exit (0);
}

static const struct {
    const char *name;
    int (*run) (void);
    const char *what;
    const char *names[8];
} cases[] = {
    { "handlers", handlers, "a host's handlers of fork make calls",
      { "n", "before.1", "before.2", "parent.1", "parent.2", "child.1",
        "child.2", NULL } },
    { "atexit", in_atexit, "a fork in an atexit handler", { "n" } },
    { "destructor", in_destructor, "a fork in a thread key's destructor",
      { "n" } },
    { "contexts", while_contexts_are_made, "exit while another thread makes "
      "contexts", { "n" } },
};

static int run (const char *how, const char *to)
{
    int status;
    pid_t pid;

    if ((pid = fork ()) == 0) {
        alarm (20);
        execl ("/proc/self/exe", "t-fork", how, to, (char *)NULL);
        _exit (127);
    }
    if (waitpid (pid, &status, 0) != pid)
        bail_out ("waitpid: %s", strerror (errno));
    return WIFEXITED (status) ? WEXITSTATUS (status) : 1000 + status;
}

/* What the process sent is there when what is sent now is.
 */
static void until_mark (struct listener *l)
{
    size_t n = 0;

    must (fripp_format_send (ctx, "mark:1|c") == 0);
    do
        must (listener_wait (l, n + 1, DEADLINE) > n);
    while (!listener_got (l, n++, "mark:1|c", 8));
}

int main (int argc, char **argv)
{
    struct listener *server;
    char to[64];

    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        uri = argc == 3 ? argv[2] : NULL;
        if (uri && !strcmp (argv[1], cases[i].name))
            return cases[i].run ();
    }
    server = listen_udp ("127.0.0.1");
    snprintf (to, sizeof (to), "127.0.0.1:%d?period=3600&refresh=0",
              listener_port (server));
    ctx = ctx_open (server, NEVER);
    for (size_t i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
        int ended = 0;
        int once = 0;

        for (int round = 0; round < ROUNDS; round++) {
            struct reader *r = reader_create (FRIPP_BRUBECK);
            const char *const *name = cases[i].names;

            ended += run (cases[i].name, to) == 0;
            until_mark (server);
            reader_read_all (r, server, listener_count (server));
            while (*name && reader_get (r, *name, "c")->sum == 1)
                name++;
            if (*name)
                diag ("%s: %lld", *name,
                      (long long)reader_get (r, *name, "c")->sum);
            once += !*name;
            reader_destroy (r);
            listener_clear (server);
        }
        is_int (ended, ROUNDS, "%s: it ends", cases[i].what);
        is_int (once, ROUNDS, "each increment is counted once");
    }
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
