/* A thread that cannot be started, and how the library's threads run. This
 * program's own pthread_create () stands before the system's.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

typedef int create_f (pthread_t *thread, const pthread_attr_t *attr,
                      void *(*start) (void *), void *arg);

/* What pthread_create () says: always, or of stacks as small as the library
 * asks for (the default is smaller with musl).
 */
static int refusal;
static int small_refusal;
static int tries;

int pthread_create (pthread_t *thread, const pthread_attr_t *attr,
                    void *(*start) (void *), void *arg)
{
    static create_f *next;
    size_t size = 0;

    if (!next)
        next = (create_f *)dlsym (RTLD_NEXT, "pthread_create");
    tries++;
    if (refusal)
        return refusal;
    if (attr && small_refusal
        && pthread_attr_getstacksize (attr, &size) == 0
        && size == 1024 * 1024)
        return small_refusal;
    return next (thread, attr, start, arg);
}

static struct fripp_ctx *ctx_open (const char *host, struct listener *server,
                                   const char *period)
{
    struct fripp_ctx *ctx;
    char uri[96];

    snprintf (uri, sizeof (uri), "%s:%d?period=%s", host,
              listener_port (server), period);
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        bail_out ("%s: %s", uri, strerror (errno));
    return ctx;
}

static void test_again (struct listener *server)
{
    struct fripp_ctx *ctx = ctx_open ("127.0.0.1", server, "0.05");
    struct logbook book = { 0 };
    double since;

    fripp_set_log (ctx, logbook_write, &book);
    refusal = EAGAIN;
    ok (fripp_inc (ctx, "n", 1) == 0, "no thread can be started: a call is 0");
    is_int (logbook_count (&book), 1, "it is told");
    ok (strstr (book.text[0], "thread") != NULL, "as what it is: %s",
        book.text[0]);
    for (int i = 0; i < 1000; i++)
        fripp_inc (ctx, "n", 1);
    is_int (logbook_count (&book), 1, "once");
    ok (tries < 100, "and not each call tries again");
    ok (fripp_flush (ctx) == 0 && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "n:1001|c", 8), "a flush sends");
    listener_clear (server);

    refusal = 0;
    since = now_ms ();
    while (listener_count (server) == 0 && now_ms () - since < DEADLINE) {
        fripp_gauge (ctx, "g", 1, false);
        listener_quiet (server, 5);
    }
    ok (listener_got (server, 0, "g:1|g", 5),
        "threads can be started again: turns come");
    ok (logbook_wait (&book, 2, DEADLINE), "its end is told");
    listener_clear (server);
    fripp_ctx_destroy (ctx);

    ctx = ctx_open ("127.0.0.1", server, "3600");
    refusal = EAGAIN;
    fripp_inc (ctx, "n", 1);
    fripp_ctx_destroy (ctx);
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "n:1|c", 5), "destroy sends without");
    listener_clear (server);
    refusal = 0;
}

/* The thread for the lookup is one, too: destroy asks for it again. On a busy
 * machine a lookup may take longer than the 100 ms of destroy.
 */
static void test_name (struct listener *server)
{
    struct fripp_ctx *ctx;

    for (int i = 0; i < 10 && listener_count (server) == 0; i++) {
        refusal = EAGAIN;
        ctx = ctx_open ("localhost", server, "3600");
        fripp_inc (ctx, "n", 1);
        refusal = 0;
        fripp_ctx_destroy (ctx);
        listener_quiet (server, 100);
    }
    ok (listener_count (server) == 1 && listener_got (server, 0, "n:1|c", 5),
        "a host's name that had no thread: destroy looks it up and sends");
    listener_clear (server);
}

static void test_stack (struct listener *server)
{
    struct fripp_ctx *ctx = ctx_open ("127.0.0.1", server, "0.05");

    double since = now_ms ();

    small_refusal = EINVAL;
    /* the failure before this test is not over at once */
    while (listener_count (server) == 0 && now_ms () - since < DEADLINE) {
        fripp_inc (ctx, "n", 1);
        listener_quiet (server, 5);
    }
    ok (listener_count (server) > 0,
        "1 MiB of stack is too small for the host's variables: the default");
    listener_clear (server);
    small_refusal = 0;
    fripp_ctx_destroy (ctx);
}

struct recorder {
    struct fripp_ctx *ctx;
    bool pinned;
    bool fifo;
};

static void *record (void *arg)
{
    struct recorder *r = arg;
    struct sched_param param = { .sched_priority = 1 };
    cpu_set_t all, one;

    CPU_ZERO (&one);
    if (sched_getaffinity (0, sizeof (all), &all) == 0) {
        int cpu = 0;

        while (!CPU_ISSET (cpu, &all))
            cpu++;
        CPU_SET (cpu, &one);
        r->pinned = CPU_COUNT (&all) > 1
            && sched_setaffinity (0, sizeof (one), &one) == 0;
    }
    r->fifo = sched_setscheduler (0, SCHED_FIFO, &param) == 0;
    fripp_inc (r->ctx, "n", 1);
    return NULL;
}

/* Finds the library's thread, which has its name when it is set up.
 */
static bool find_thread (void *arg)
{
    DIR *dir = opendir ("/proc/self/task");
    struct dirent *entry;
    pid_t *found = arg;

    while (dir && (entry = readdir (dir))) {
        char path[300];
        char name[32] = "";
        FILE *comm;

        snprintf (path, sizeof (path), "/proc/self/task/%s/comm",
                  entry->d_name);
        if (!(comm = fopen (path, "r")))
            continue;
        if (fgets (name, sizeof (name), comm) && !strcmp (name, "fripp\n"))
            *found = atoi (entry->d_name);
        fclose (comm);
    }
    if (dir)
        closedir (dir);
    return *found > 0;
}

static void test_policy (struct listener *server)
{
    struct recorder r = { .ctx = ctx_open ("127.0.0.1", server, "3600") };
    cpu_set_t own, theirs;
    pthread_t thread;
    pid_t tid = 0;

    if (pthread_create (&thread, NULL, record, &r) != 0)
        bail_out ("no thread");
    pthread_join (thread, NULL);
    must (wait_until (find_thread, &tid, DEADLINE));
    CPU_ZERO (&own);
    CPU_ZERO (&theirs);
    sched_getaffinity (getpid (), sizeof (own), &own);
    sched_getaffinity (tid, sizeof (theirs), &theirs);
    if (r.pinned)
        ok (tid > 0 && CPU_EQUAL (&own, &theirs),
            "recorded first by a thread bound to a processor: the library's "
            "runs where the process may");
    else
        skip ("one processor", "the library's thread runs anywhere");
    if (r.fifo)
        is_int (sched_getscheduler (tid), SCHED_OTHER,
                "recorded first by one with SCHED_FIFO: the library's has "
                "the default policy");
    else
        skip ("SCHED_FIFO is not permitted", "the default policy");
    fripp_ctx_destroy (r.ctx);
    listener_clear (server);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");

    test_again (server);
    test_name (server);
    test_stack (server);
    test_policy (server);
    listener_destroy (server);
    return done_testing ();
}
