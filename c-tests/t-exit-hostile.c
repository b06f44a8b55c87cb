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

int main (int argc, char **argv)
{
    struct listener *server;
    char uri[64];

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
    return done_testing ();
}
