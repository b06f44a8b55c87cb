/* Threads of the library have all signals blocked, and the caller keeps its
 * own.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

/* The mask of blocked signals of a thread, by its id.
 */
static unsigned long long blocked (const char *tid, char name[64])
{
    char path[300];
    char line[256];
    unsigned long long mask = 0;
    FILE *f;

    snprintf (path, sizeof (path), "/proc/self/task/%s/status", tid);
    if (!(f = fopen (path, "re")))
        return ~0ULL;
    while (fgets (line, sizeof (line), f)) {
        if (!strncmp (line, "Name:", 5)) {
            snprintf (name, 64, "%.60s", line + 6);
            name[strcspn (name, "\n")] = '\0';
        }
        sscanf (line, "SigBlk: %llx", &mask);
    }
    fclose (f);
    return mask;
}

/* All but those that nobody can block, and the two that glibc keeps for
 * itself.
 */
static bool is_all (unsigned long long mask)
{
    for (int sig = 1; sig <= 64; sig++) {
        if (sig == SIGKILL || sig == SIGSTOP || sig == 32 || sig == 33)
            continue;
        if (!(mask & (1ULL << (sig - 1))))
            return false;
    }
    return true;
}

static int check_threads (bool *all)
{
    char self[32];
    struct dirent *entry;
    int n = 0;
    DIR *dir = opendir ("/proc/self/task");

    *all = dir != NULL;
    snprintf (self, sizeof (self), "%d", (int)getpid ());
    while (dir && (entry = readdir (dir))) {
        char name[64] = "";
        unsigned long long mask;

        if (entry->d_name[0] == '.' || !strcmp (entry->d_name, self))
            continue;
        mask = blocked (entry->d_name, name);
        diag ("thread %s blocks %llx", name, mask);
        *all = *all && is_all (mask);
        n++;
    }
    if (dir)
        closedir (dir);
    return n;
}

static atomic_int handled;

static void handler (int sig)
{
    (void)sig;
    handled++;
}

/* A timer that fires a thousand times a second at the thread that makes the
 * calls, and restarts no system call.
 */
static void test_storm (void)
{
    struct itimerval fast = { { 0, 1000 }, { 0, 1000 } };
    struct itimerval none = { { 0, 0 }, { 0, 0 } };
    struct sigaction sa = { .sa_handler = handler };
    struct reader *r = reader_create (FRIPP_STATSD);
    struct listener *server;
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    long recorded = 0;
    long packets = 0;
    int failed = 0;

    ctx = ctx_open_lossless (&server, "dialect=statsd&period=0.05&refresh=0");
    listener_start (server);
    handled = 0;
    sigaction (SIGALRM, &sa, NULL);
    setitimer (ITIMER_REAL, &fast, NULL);
    while (handled < 1000) {
        for (int i = 0; i < 1000; i++) {
            char name[32];

            snprintf (name, sizeof (name), "n%d", i % 500);
            failed += fripp_inc (ctx, name, 1) != 0;
            recorded++;
        }
        failed += fripp_format_send (ctx, "packet:1|c") != 0;
        failed += fripp_timing (ctx, "timing", 1) != 0;
        packets++;
        /* EAGAIN is no loss */
        (void)fripp_flush (ctx);
    }
    flush_all (ctx);
    setitimer (ITIMER_REAL, &none, NULL);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    listener_need (server, stats.datagrams);
    listener_stop (server);
    reader_read_all (r, server, listener_count (server));
    for (int i = 0; i < 500; i++) {
        char name[32];

        snprintf (name, sizeof (name), "n%d", i);
        recorded -= reader_get (r, name, "c")->sum;
    }
    is_int (failed, 0, "1,000 signals, one each ms: no call fails");
    is_int (recorded, 0, "each increment arrives");
    ok (reader_get (r, "packet", "c")->sum == packets
        && reader_get (r, "timing", "ms")->values == packets
        && stats.dropped == 0, "so does each packet, and each timing");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    reader_destroy (r);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct sigaction sa = { .sa_handler = handler };
    struct fripp_ctx *slow;
    struct fripp_ctx *ctx;
    sigset_t before;
    sigset_t after;
    bool same = true;
    bool all;
    int n;

    sigaction (SIGUSR1, &sa, NULL);
    sigemptyset (&before);
    sigaddset (&before, SIGUSR2);
    pthread_sigmask (SIG_SETMASK, &before, NULL);

    listener_drop (server);
    resolver_block (true);
    slow = fripp_ctx_create (NULL, "slow.example", listener_port (server));
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    for (int i = 0; i < 100; i++) {
        fripp_format_send (slow, "slow.%d:1|c", i);
        fripp_format_send (ctx, "kept.%d:1|c", i);
    }
    must (resolver_wait_for (1, DEADLINE));
    n = check_threads (&all);
    is_int (n, 2, "the helper that looks a name up, and the background "
            "thread");
    ok (all, "its threads are blocked from all signals");

    pthread_sigmask (SIG_SETMASK, NULL, &after);
    for (int sig = 1; sig < 64; sig++)
        same = same && sigismember (&before, sig) == sigismember (&after, sig);
    ok (same, "the caller's own mask is as before");
    kill (getpid (), SIGUSR1);
    ok (handled == 1, "a signal to the process reaches the caller's thread");

    listener_reopen (server);
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    listener_start (server);
    for (int i = 0; i < 1000 && listener_count (server) < 200; i++) {
        kill (getpid (), SIGUSR1);
        listener_idle (server, 20);
    }
    ok (listener_count (server) + 1 >= 200,
        "lines that were kept go under a storm of signals");
    listener_stop (server);
    fripp_ctx_destroy (slow);
    fripp_ctx_destroy (ctx);
    ok (wait_threads (1, DEADLINE), "the threads are gone with the contexts");
    listener_destroy (server);
    test_storm ();
    return done_testing ();
}
