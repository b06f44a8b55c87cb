/* threads.c - signals, threads that are cancelled, or cannot be started
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench.h"
#include "tap.h"

/* -- SIGALRM, each 0.1 ms, without SA_RESTART ------------------------------ */

static volatile sig_atomic_t alarms;

static void on_alarm (int sig)
{
    (void)sig;
    alarms++;
}

static void act_storm (struct run *r, int step)
{
    struct sigaction act = { .sa_handler = on_alarm };
    struct itimerval timer = { { 0, 100 }, { 0, 100 } };

    (void)r;
    if (step == 2)
        memset (&timer, 0, sizeof (timer));
    else if (sigaction (SIGALRM, &act, NULL) < 0)
        bail_out ("sigaction: %s", strerror (errno));
    if (setitimer (ITIMER_REAL, &timer, NULL) < 0)
        bail_out ("setitimer: %s", strerror (errno));
    if (step == 2 && alarms < 100)
        complain (r, "only %d signals", (int)alarms);
}

static void play_storm (struct run *r)
{
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    tell (r, 1);
    wait_recorded (r, 10000);
    tell (r, 2);
    finish (r);
}

/* -- threads cancelled in calls -------------------------------------------- */

static void *until_cancelled (void *arg)
{
    struct run *r = arg;

    for (int i = 0; i < 500; i++) {
        record (r, r->h, i);
        if (r->client->packet)
            record_packet (r, r->h);
        pthread_testcancel ();
    }
    (void)pause ();
    return NULL;
}

/* A cancel that comes in the middle of a call is to wait for its end: what it
 * recorded is noted down by the thread after the call.
 */
static void load_cancelled (struct run *r)
{
    for (int i = 0; i < 200; i++) {
        int64_t recorded = sum_up (r->board).recorded;
        pthread_t thread;
        void *result;

        if (pthread_create (&thread, NULL, until_cancelled, r))
            bail_out ("no thread");
        while (sum_up (r->board).recorded < recorded + 20)
            sched_yield ();
        pthread_cancel (thread);
        if (pthread_join (thread, &result) || result != PTHREAD_CANCELED)
            complain (r, "a thread was not cancelled");
        publish (r);
        rest (2);
    }
}

static void play_cancelled (struct run *r)
{
    at_path (r);
    server_start (r->server);
    if (!start (r))
        return;
    finish (r);
}

/* -- no thread: a limit of the system, for a while ------------------------- */

static _Atomic bool no_threads;

int pthread_create (pthread_t *thread, const pthread_attr_t *attr,
                    void *(*start) (void *), void *arg)
{
    int (*real) (pthread_t *thread, const pthread_attr_t *attr,
                 void *(*start) (void *), void *arg);

    if (no_threads)
        return EAGAIN;
    *(void **)&real = dlsym (RTLD_NEXT, "pthread_create");
    return real (thread, attr, start, arg);
}

static void refuse_threads (struct run *r)
{
    (void)r;
    no_threads = true;
}

static void act_threads (struct run *r, int step)
{
    (void)r;
    (void)step;
    no_threads = false;
}

static void play_no_threads (struct run *r)
{
    at_udp (r);
    play_step (r);
}

const struct fault threads[] = {
    { "SIGALRM 10,000 times a second", play_storm, act_storm, .seconds = 2 },
    { "200 threads cancelled in calls", play_cancelled,
      .load = load_cancelled, .seconds = 1 },
    { "no thread can be started for 0.5 s (EAGAIN)", play_no_threads,
      act_threads, .before = refuse_threads, .seconds = 2 },
    { 0 }
};
