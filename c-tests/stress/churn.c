/* churn.c - a process of eight threads that does everything to the library at
 * once, for a minute or as long as one likes
 *
 * Two threads record counters, one samples and packets. Beside them one
 * records names and forgets them, one forks children that record, flush and
 * end, one changes settings, one creates and destroys contexts, and one
 * flushes. Then the process exits, with everything that is pending, while the
 * last three go on. What each of them recorded is what arrives.
 *
 * The process is this program again; the server is in the first one, with a
 * UNIX socket, where nothing is lost on the way. What was recorded is counted
 * in a file that all processes map.
 *
 * Environment: SECONDS (60)
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"

#define NAMES 64
#define JOBS 50
#define CHILD_NAMES 16
/* Threads that end before the process does.
 */
#define ENDING 5
#define THREADS 8

struct counts {
    int64_t counters[NAMES];
    int64_t jobs;
    int64_t samples;
    int64_t packets;
    int64_t dropped;
    int64_t failed;
    int64_t calls;
    _Atomic int64_t children;
    _Atomic int64_t by_children;
    _Atomic int64_t bad_children;
    _Atomic int64_t changes;
    _Atomic int64_t contexts;
    _Atomic int64_t by_contexts;
    _Atomic int64_t flushes;
};

static struct counts *counts;
static struct fripp_ctx *ctx;
static const char *server_uri;
static char names[NAMES][32];
static atomic_bool stop;

static void pause_ms (int ms)
{
    struct timespec ts = { .tv_nsec = ms * 1000000L };

    nanosleep (&ts, NULL);
}

/* What a thread recorded, added up when it ends.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *record (void *arg)
{
    struct fripp_metric *handles[NAMES];
    int64_t sums[NAMES] = { 0 };
    int64_t failed = 0;
    int64_t calls = 0;
    unsigned int seed = (unsigned int)(intptr_t)arg;

    for (int n = 0; n < NAMES; n++)
        handles[n] = fripp_metric_get (ctx, FRIPP_COUNTER, names[n], NULL);
    for (; !atomic_load_explicit (&stop, memory_order_relaxed); calls++) {
        int n;

        seed = seed * 1664525u + 1013904223u;
        n = (int)(seed >> 8) % NAMES;
        if (seed >> 31)
            failed += fripp_inc (ctx, names[n], 3) != 0;
        else
            failed += fripp_metric_add (handles[n], 3) != 0;
        sums[n] += 3;
    }
    pthread_mutex_lock (&lock);
    for (int n = 0; n < NAMES; n++)
        counts->counters[n] += sums[n];
    counts->failed += failed;
    counts->calls += calls;
    pthread_mutex_unlock (&lock);
    return NULL;
}

static void *sample (void *arg)
{
    int64_t samples = 0;
    int64_t packets = 0;
    int64_t failed = 0;

    for (; !atomic_load (&stop); samples++) {
        failed += fripp_timing (ctx, "timing", 1.5) != 0;
        failed += fripp_gauge (ctx, "gauge", samples, false) != 0;
        failed += fripp_unique (ctx, "set", "member") != 0;
        if (samples % 8 == 0) {
            failed += fripp_format_send (ctx, "packet:1|c") != 0;
            failed += fripp_packet_appendf (ctx, "packet:1|c") != 0;
            packets += 2;
        }
        if (samples % 64 == 0)
            pause_ms (1);
    }
    pthread_mutex_lock (&lock);
    counts->samples += samples;
    counts->packets += packets;
    counts->failed += failed;
    pthread_mutex_unlock (&lock);
    return arg;
}

static void *forget (void *arg)
{
    int64_t jobs = 0;
    int64_t failed = 0;
    char name[32];

    for (; !atomic_load (&stop); jobs++) {
        snprintf (name, sizeof (name), "job.%d", (int)(jobs % JOBS));
        failed += fripp_inc (ctx, name, 1) != 0;
        if (jobs % 3)
            failed += fripp_forget (ctx, name) != 0;
        if (jobs % 16 == 0)
            pause_ms (1);
    }
    pthread_mutex_lock (&lock);
    counts->jobs += jobs;
    counts->failed += failed;
    pthread_mutex_unlock (&lock);
    return arg;
}

/* A child records what its parent does, and counts what it has sent. It ends
 * by exit () each other time.
 */
static void child (int i)
{
    bool sent = false;
    int taken = 0;

    alarm (60);
    for (int j = 0; j < CHILD_NAMES; j++)
        taken += fripp_inc (ctx, names[(i + j) % NAMES], 1) == 0;
    taken += fripp_inc (ctx, "child", 1) == 0;
    for (int tries = 0; !sent && tries < 200; tries++)
        sent = fripp_flush (ctx) == 0;
    if (sent)
        atomic_fetch_add (&counts->by_children, taken);
    if (!sent || taken != CHILD_NAMES + 1)
        _exit (1);
    if (i % 2)
        _exit (0);
    exit (0);
}

static void *keep_forking (void *arg)
{
    for (int i = 0; !atomic_load (&stop); i++) {
        pid_t pid = fork ();
        int status;

        if (pid == 0)
            child (i);
        if (pid < 0 || waitpid (pid, &status, 0) != pid || status != 0)
            atomic_fetch_add (&counts->bad_children, 1);
        atomic_fetch_add (&counts->children, 1);
        pause_ms (5);
    }
    return arg;
}

/* Both prefixes, two dialects that write the same lines, two periods. This
 * and what follows goes on while the process exits.
 */
static void *change (void *arg)
{
    for (int i = 0;; i++) {
        switch (i % 4) {
        case 0:
            fripp_set_prefix (ctx, i % 8 ? "a" : "b");
            break;
        case 1:
            fripp_set_dialect (ctx, i % 8 == 1 ? FRIPP_STATSD : FRIPP_GRAPHITE);
            break;
        case 2:
            fripp_set_prefix (ctx, "");
            break;
        default:
            fripp_set_agg_period (ctx, i % 8 == 3 ? 0.05 : 0.1);
        }
        atomic_fetch_add (&counts->changes, 1);
        pause_ms (2);
    }
    return arg;
}

static void *create (void *arg)
{
    for (;;) {
        struct fripp_ctx *own = fripp_ctx_create_uri (NULL, server_uri);
        int64_t taken = 0;
        bool sent = false;

        for (int i = 0; i < 20; i++)
            taken += fripp_inc (own, "context", 1) == 0;
        /* what is sent now counts, though the process may exit before that */
        for (int i = 0; !sent && i < 200; i++)
            sent = fripp_flush (own) == 0;
        if (sent)
            atomic_fetch_add (&counts->by_contexts, taken);
        fripp_ctx_destroy (own);
        atomic_fetch_add (&counts->contexts, 1);
        pause_ms (3);
    }
    return arg;
}

static void *keep_flushing (void *arg)
{
    for (;;) {
        (void)fripp_flush (ctx);
        atomic_fetch_add (&counts->flushes, 1);
        pause_ms (7);
    }
    return arg;
}

static void map_counts (const char *path)
{
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate (fd, sizeof (*counts)) < 0)
        bail_out ("no file for the counts");
    counts = mmap (NULL, sizeof (*counts), PROT_READ | PROT_WRITE, MAP_SHARED,
                   fd, 0);
    if (counts == MAP_FAILED)
        bail_out ("the counts are not mapped");
    close (fd);
}

static int work (const char *path, const char *uri)
{
    void *(*const roles[THREADS]) (void *) = {
        record, record, sample, forget, keep_forking,
        change, create, keep_flushing,
    };
    pthread_t threads[THREADS];
    struct fripp_stats stats;
    const char *env = getenv ("SECONDS");
    double end = now_ms () + atoi (env) * 1e3;

    map_counts (path);
    server_uri = uri;
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        return 2;
    for (int n = 0; n < NAMES; n++)
        snprintf (names[n], sizeof (names[n]), "name.%d", n);
    for (int i = 0; i < THREADS; i++)
        pthread_create (&threads[i], NULL, roles[i], (void *)(intptr_t)i);
    while (now_ms () < end)
        pause_ms (20);
    atomic_store (&stop, true);
    for (int i = 0; i < ENDING; i++)
        pthread_join (threads[i], NULL);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    counts->dropped = (int64_t)stats.dropped;
    exit (0);
}

static struct reader *reader;
static struct listener *server;
static atomic_bool stop_reading;

static void *read_all (void *arg)
{
    while (!atomic_load (&stop_reading)) {
        if (listener_wait (server, 64, 10) == 0)
            continue;
        reader_read_all (reader, server, listener_count (server));
        listener_clear (server);
    }
    return arg;
}

static double sum_of (const char *name, const char *type)
{
    static const char *const prefixes[] = { "", "a.", "b." };
    double sum = 0;

    for (int i = 0; i < 3; i++) {
        char whole[64];
        const struct reading *m;

        snprintf (whole, sizeof (whole), "%s%s", prefixes[i], name);
        m = reader_get (reader, whole, type);
        sum += *type == 'c' ? (double)m->sum : m->values;
    }
    return sum;
}

static void check (void)
{
    double from_children = sum_of ("child", "c");
    double received;
    double jobs = 0;
    double got = 0;
    double want = 0;

    for (int n = 0; n < NAMES; n++) {
        char name[32];

        snprintf (name, sizeof (name), "name.%d", n);
        got += sum_of (name, "c");
        want += (double)counts->counters[n];
    }
    for (int n = 0; n < JOBS; n++) {
        char name[32];

        snprintf (name, sizeof (name), "job.%d", n);
        jobs += sum_of (name, "c");
    }
    is_int (counts->failed, 0, "all calls are taken");
    is_int (counts->bad_children, 0, "all children flush and end");
    ok (got + from_children == want + (double)counts->by_children,
        "counters: %.0f of %.0f, with those of children", got + from_children,
        want + (double)counts->by_children);
    ok (jobs == (double)counts->jobs, "names that come and go: %.0f of "
        "%" PRId64, jobs, counts->jobs);
    received = sum_of ("timing", "ms") + sum_of ("packet", "c");
    ok (received + (double)counts->dropped
        == (double)(counts->samples + counts->packets),
        "samples and packets: %.0f of %" PRId64 ", %" PRId64 " are counted as "
        "dropped", received, counts->samples + counts->packets,
        counts->dropped);
    /* one may be destroyed while the process exits */
    got = sum_of ("context", "c");
    ok (got >= (double)counts->by_contexts
        && got <= (double)counts->by_contexts + 20,
        "contexts that come and go: %.0f of %" PRId64, got,
        counts->by_contexts);
    ok (!reader_bad (reader), "each line reads");
}

int main (int argc, char **argv)
{
    const char *env = getenv ("SECONDS");
    int seconds = env && atoi (env) > 0 ? atoi (env) : 60;
    pthread_t reading;
    char path[300];
    char name[64];
    char uri[200];
    char text[16];

    if (argc == 3) {
        alarm (0);
        return work (argv[1], argv[2]);
    }
    alarm (0);                /* it takes longer than any test */
    snprintf (text, sizeof (text), "%d", seconds);
    setenv ("SECONDS", text, 1);
    snprintf (path, sizeof (path), "%s/counts", scratch_dir ());
    map_counts (path);
    snprintf (name, sizeof (name), "@fripp-churn-%d", (int)getpid ());
    snprintf (uri, sizeof (uri), "unix:%s?dialect=statsd&period=0.05"
              "&refresh=0.5", name);
    server = listen_unix (name);
    reader = reader_create (FRIPP_STATSD);
    pthread_create (&reading, NULL, read_all, NULL);
    is_int (run_again (path, uri), 0, "eight threads for %d s, then exit",
            seconds);
    atomic_store (&stop_reading, true);
    pthread_join (reading, NULL);
    listener_quiet (server, 0);
    reader_read_all (reader, server, listener_count (server));
    check ();
    diag ("%d s: %" PRId64 " million calls, %" PRId64 " children, %" PRId64
          " names forgotten, %" PRId64 " changes of settings, %" PRId64
          " flushes, %" PRId64 " contexts", seconds, counts->calls / 1000000,
          (int64_t)counts->children, counts->jobs * 2 / 3,
          (int64_t)counts->changes, (int64_t)counts->flushes,
          (int64_t)counts->contexts);
    reader_destroy (reader);
    listener_destroy (server);
    return done_testing ();
}
