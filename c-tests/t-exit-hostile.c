/* exit at the worst moments sends what is pending. The processes are this
 * program, executed again with an argument.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

static atomic_bool in_fork;
static bool interrupt_send;

/* Stands before the system's: a signal arrives within a call.
 */
ssize_t send (int fd, const void *data, size_t len, int flags)
{
    static ssize_t (*next) (int, const void *, size_t, int);

    if (!next)
        *(void **)&next = dlsym (RTLD_NEXT, "send");
    if (interrupt_send) {
        interrupt_send = false;
        raise (SIGUSR1);
    }
    return next (fd, data, len, flags);
}

static void on_signal (int sig)
{
    (void)sig;
    exit (0);
}

/* Registered before the library's, it runs when that has locked.
 */
static void before_fork (void)
{
    struct timespec pause = { .tv_nsec = 30000000 };

    atomic_store (&in_fork, true);
    nanosleep (&pause, NULL);
}

static void *forker (void *arg)
{
    (void)arg;
    if (fork () == 0)
        _exit (0);
    return NULL;
}

/* Threads that go on while the process exits. What they have done is counted
 * after each round.
 */
#define THREADS 4
#define NAMES 100000

static atomic_int rounds;
static atomic_int names;

static void *create (void *arg)
{
    char name[32];

    for (;;) {
        int i = atomic_fetch_add (&names, 1);
        struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, arg);

        snprintf (name, sizeof (name), "t%d", i);
        fripp_inc (ctx, name, 1);
        fripp_ctx_destroy (ctx);
        atomic_fetch_add (&rounds, 1);
    }
    return NULL;
}

static void *change (void *arg)
{
    struct fripp_ctx *ctx = arg;
    char name[32];

    for (;;) {
        int i = atomic_fetch_add (&names, 1);

        fripp_set_prefix (ctx, i % 2 ? "a" : "b");
        fripp_set_tags (ctx, i % 3 ? "k:v" : "");
        fripp_set_agg_period (ctx, i % 5 ? 3600 : 1800);
        snprintf (name, sizeof (name), "t%d", i);
        fripp_inc (ctx, name, 1);
        fripp_forget (ctx, name);
        atomic_fetch_add (&rounds, 1);
    }
    return NULL;
}

/* Metrics that are pending when the process exits.
 */
#define PENDING 100

static int busy_child (const char *how, char *uri)
{
    bool changes = !strcmp (how, "change");
    struct fripp_ctx *ctx;
    pthread_t threads[THREADS];
    char name[32];

    alarm (20);
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        return 2;
    for (int i = 0; i < THREADS; i++)
        pthread_create (&threads[i], NULL, changes ? change : create,
                        changes ? (void *)ctx : uri);
    while (atomic_load (&rounds) < 3)
        ;
    for (int i = 0; i < PENDING; i++) {
        snprintf (name, sizeof (name), "n%d", i);
        if (fripp_inc (ctx, name, 1) < 0)
            return 2;
    }
    fripp_inc (ctx, "rounds", atomic_load (&rounds));
    exit (0);
}

static int child (const char *how, const char *uri)
{
    struct fripp_ctx *away = NULL;
    struct fripp_ctx *ctx;
    pthread_t thread;

    alarm (20);
    if (!strcmp (how, "fork"))
        pthread_atfork (before_fork, NULL, NULL);
    if (!strcmp (how, "away")) {
        away = fripp_ctx_create_uri (NULL, "unix:@fripp-nobody?period=3600");
        fripp_inc (away, "n", 1);
    }
    if (!(ctx = fripp_ctx_create_uri (NULL, uri))
        || fripp_inc (ctx, "n", 1) < 0)
        return 2;
    if (!strcmp (how, "fork")) {
        pthread_create (&thread, NULL, forker, NULL);
        while (!atomic_load (&in_fork))
            ;
    }
    if (!strcmp (how, "signal")) {
        signal (SIGUSR1, on_signal);
        interrupt_send = true;
        fripp_format_send (ctx, "a:1|c");
    }
    exit (0);
}

/* Whether each metric that was pending arrived once, and what the threads had
 * done when the process exited, too.
 */
static bool is_whole (struct listener *server)
{
    static unsigned char seen[NAMES];
    char *text = listener_text (server);
    int pending = 0;
    int others = 0;
    int least = 0;
    int twice = 0;
    char *line;
    char *rest;

    memset (seen, 0, sizeof (seen));
    for (line = strtok_r (text, "\n", &rest); line;
         line = strtok_r (NULL, "\n", &rest)) {
        char *name = strchr (line, '.');
        int n;

        name = name ? name + 1 : line;
        if (sscanf (name, "rounds:%d|c", &n) == 1)
            least += n;
        else if (sscanf (name, "n%d:1|c", &n) == 1 && n < PENDING)
            pending++;
        else if (sscanf (name, "t%d:1|c", &n) == 1 && n < NAMES) {
            others++;
            twice += seen[n]++;
        }
        else
            twice += 1000;
    }
    free (text);
    if (pending == PENDING && least >= 3 && others >= least && twice == 0)
        return true;
    diag ("%d of %d arrived; of the threads %d of %d or more, %d twice", pending,
          PENDING, others, least, twice);
    return false;
}

/* 150 processes.
 */
static void test_busy (const char *how, const char *what)
{
    struct listener *server = listen_udp ("127.0.0.1");
    int whole = 0;
    int ended = 0;
    char uri[64];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d?period=3600&dialect=dogstatsd",
              listener_port (server));
    for (int i = 0; i < 150; i++) {
        listener_start (server);
        ended += run_again (how, uri) == 0;
        listener_stop (server);
        listener_quiet (server, 0);
        whole += is_whole (server);
        listener_clear (server);
    }
    is_int (ended, 150, "exit while threads %s: each process ends",
            what);
    is_int (whole, 150, "and each sends what is pending, once");
    listener_destroy (server);
}

int main (int argc, char **argv)
{
    struct listener *server;
    char uri[64];

    if (argc == 3 && (!strcmp (argv[1], "create")
                      || !strcmp (argv[1], "change")))
        return busy_child (argv[1], argv[2]);
    if (argc == 3)
        return child (argv[1], argv[2]);
    server = listen_udp ("127.0.0.1");
    snprintf (uri, sizeof (uri), "127.0.0.1:%d?period=3600",
              listener_port (server));

    is_int (run_again ("fork", uri), 0, "exit while another thread is in fork");
    listener_quiet (server, 0);
    ok (listener_count (server) == 1 && listener_got (server, 0, "n:1|c", 5),
        "what was pending is sent");
    listener_clear (server);

    is_int (run_again ("away", uri), 0, "exit while another server is away");
    listener_quiet (server, 0);
    ok (listener_count (server) == 1 && listener_got (server, 0, "n:1|c", 5),
        "the context whose server is there sends");
    listener_clear (server);

    is_int (run_again ("signal", uri), 0,
            "exit in a signal handler that interrupted a call: it ends");
    listener_destroy (server);

    test_busy ("create", "create and destroy contexts");
    test_busy ("change", "change settings, record and forget");
    return done_testing ();
}
