/* The stand-in for libflux-core does what the other tests rely on.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flux/core.h>

#include "flux-standin/standin.h"
#include "tap.h"

static char order[64];

static void count_cb (flux_reactor_t *r, flux_watcher_t *w, int revents,
                      void *arg)
{
    (void)r;
    (void)w;
    (void)revents;
    strncat (order, arg, 1);
}

static void test_timers (void)
{
    flux_t *h = standin_open (0);
    flux_reactor_t *r = flux_get_reactor (h);
    flux_watcher_t *a = flux_timer_watcher_create (r, 1, 2, count_cb, "a");
    flux_watcher_t *b = flux_timer_watcher_create (r, 1.5, 0, count_cb, "b");

    is_int (standin_advance (h, 10), 0, "a timer that is not started");
    flux_watcher_start (a);
    flux_watcher_start (b);
    ok (standin_watchers (h) == 2 && standin_active (h) == 2
        && standin_refs (h) == 2, "two that are");
    is_int (standin_advance (h, 0.9), 0, "it is not their time");
    is_int (standin_advance (h, 4.2), 4, "after and repeat");
    is_str (order, "abaa", "in order");
    is_int (standin_active (h), 1, "without repeat it stops");
    flux_timer_watcher_reset (a, 5, 5);
    is_int (standin_advance (h, 2), 1, "a reset does not touch what runs");
    flux_watcher_start (a);
    is_int (standin_advance (h, 2), 1, "nor does a start");
    flux_watcher_stop (a);
    flux_watcher_start (a);
    is_int (standin_advance (h, 4.9), 0, "it takes effect after a stop");
    is_int (standin_advance (h, 0.2), 1, "and a start");
#ifdef STANDIN_0_88
    flux_watcher_unref (a);
    ok (standin_active (h) == 1 && standin_refs (h) == 0, "unref");
#endif
    flux_watcher_destroy (a);
    flux_watcher_destroy (b);
    flux_watcher_destroy (NULL);
    is_int (standin_watchers (h), 0, "none is left");
    flux_close (h);
}

static void restart_cb (flux_reactor_t *r, flux_watcher_t *w, int revents,
                        void *arg)
{
    count_cb (r, w, revents, arg);
    flux_watcher_stop (w);
    flux_watcher_start (w);
}

static void test_prepare (void)
{
    flux_t *h = standin_open (0);
    flux_reactor_t *r = flux_get_reactor (h);
    flux_watcher_t *t = flux_timer_watcher_create (r, 1, 1, count_cb, "t");
    flux_watcher_t *p = flux_prepare_watcher_create (r, count_cb, "p");

    order[0] = '\0';
    flux_watcher_start (t);
    standin_advance (h, 1);
    is_str (order, "t", "a prepare watcher that is not started");
    flux_watcher_start (p);
    standin_advance (h, 2);
    is_str (order, "tpptptp", "at the end of each turn, that under way too");
    flux_watcher_destroy (p);
    flux_watcher_stop (t);
    order[0] = '\0';
    p = flux_prepare_watcher_create (r, restart_cb, "p");
    flux_watcher_start (p);
    standin_advance (h, 0);
    is_str (order, "pp", "one that starts itself: once a turn");
    flux_watcher_destroy (p);
    flux_watcher_destroy (t);
    flux_close (h);
}

static int freed;

static void free_cb (void *arg)
{
    freed++;
    free (arg);
}

static void test_log_and_aux (void)
{
    flux_t *h = standin_open (7);
    uint32_t rank = 0;

    ok (flux_get_rank (h, &rank) == 0 && rank == 7, "rank");
    standin_fail_rank (h, EIO);
    errno = 0;
    ok (flux_get_rank (h, &rank) == -1 && errno == EIO, "no rank");
    flux_log (h, LOG_INFO, "one %d\ntwo", 1);
    errno = ENOENT;
    flux_log_error (h, "three");
    is_int (standin_log_count (h), 3, "a message a line");
    is_str (standin_log_text (h, 0), "one 1", "the first");
    is_str (standin_log_text (h, 2), "three: No such file or directory",
            "with errno");
    flux_aux_set (h, "x", malloc (1), free_cb);
    flux_aux_set (h, "x", malloc (1), free_cb);
    ok (freed == 1 && flux_aux_get (h, "x") && !flux_aux_get (h, "y"), "aux");
    flux_close (h);
    is_int (freed, 2, "flux_close destroys aux");
}

/* Whether a child that does this is killed by abort ().
 */
static bool aborts (void (*misuse) (void))
{
    int status;
    pid_t pid;

    if ((pid = fork ()) == 0) {
        if (!freopen ("/dev/null", "w", stderr))
            _exit (1);
        misuse ();
        _exit (0);
    }
    return waitpid (pid, &status, 0) == pid && WIFSIGNALED (status)
           && WTERMSIG (status) == SIGABRT;
}

static void *log_on_thread (void *h)
{
    flux_log (h, LOG_INFO, "from another thread");
    return NULL;
}

static void other_thread (void)
{
    pthread_t thread;

    pthread_create (&thread, NULL, log_on_thread, standin_open (0));
    pthread_join (thread, NULL);
}

static void log_aux (void *h)
{
    flux_log (h, LOG_INFO, "while closing");
}

static void in_destructor (void)
{
    flux_t *h = standin_open (0);

    flux_aux_set (h, "x", h, log_aux);
    flux_close (h);
}

static void after_close (void)
{
    flux_t *h = standin_open (0);

    flux_close (h);
    flux_log (h, LOG_INFO, "after it");
}

static flux_watcher_t *aux_watcher;

static void destroy_aux (void *arg)
{
    (void)arg;
    flux_watcher_destroy (aux_watcher);
}

static void destroy_in_destructor (void)
{
    flux_t *h = standin_open (0);

    aux_watcher = flux_timer_watcher_create (flux_get_reactor (h), 1, 1,
                                             count_cb, "x");
    flux_aux_set (h, "x", h, destroy_aux);
    flux_close (h);
}

int main (void)
{
    test_timers ();
    test_prepare ();
    test_log_and_aux ();
    ok (aborts (other_thread), "it aborts on a call from another thread");
    ok (aborts (in_destructor), "and from an aux destructor");
    ok (!aborts (destroy_in_destructor),
        "but for flux_watcher_destroy in one");
    ok (aborts (after_close), "and after flux_close");
    return done_testing ();
}
