/* load.c - the client's process: it records, does what it is told, and
 * measures how long each call takes
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "proc.h"
#include "tap.h"

#define BATCH 10                /* a ms: 10,000 metrics a second */

/* -- measuring ------------------------------------------------------------- */

static __thread double wall;
static __thread double cpu;
static __thread double delay;
static __thread double delay_at;

static double cpu_ms (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* How long the threads of this process have waited for a processor in all
 * (ms): who waits for a lock waits for the thread that holds it, too. Below 0
 * where that cannot be known, because no descriptor is left.
 */
static double delay_ms (void)
{
    unsigned long long sum = 0;
    struct dirent *entry;
    int state;
    DIR *dir;

    /* a call's end is none for a thread to be cancelled at */
    pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, &state);
    dir = opendir ("/proc/self/task");
    while (dir && (entry = readdir (dir))) {
        unsigned long long ran, waited;
        char path[300];
        char text[128];
        ssize_t n;
        int fd;

        snprintf (path, sizeof (path), "/proc/self/task/%s/schedstat",
                  entry->d_name);
        if (entry->d_name[0] == '.'
            || (fd = open (path, O_RDONLY | O_CLOEXEC)) < 0)
            continue;
        if ((n = read (fd, text, sizeof (text) - 1)) > 0) {
            text[n] = '\0';
            if (sscanf (text, "%llu %llu", &ran, &waited) == 2)
                sum += waited;
        }
        close (fd);
    }
    if (dir)
        closedir (dir);
    pthread_setcancelstate (state, NULL);
    return dir ? sum / 1e6 : -1;
}

void measure_again (void)
{
    delay = delay_ms ();
    delay_at = now_ms ();
}

void call_begin (void)
{
    cpu = cpu_ms ();
    wall = now_ms ();
}

void call_end (struct longest *longest)
{
    double took = now_ms () - wall;
    double worked = cpu_ms () - cpu;
    double held = took;

    if (took > HELD / 10) {
        double now = delay_ms ();

        held = now < 0 || delay < 0 ? worked
               : now > delay ? took - (now - delay) : took;
    }
    if (held < worked)
        held = worked;
    if (took > longest->wall)
        longest->wall = took;
    if (worked > longest->cpu)
        longest->cpu = worked;
    if (held > longest->held)
        longest->held = held;
}

void rest (int ms)
{
    (void)poll (NULL, 0, ms);
}

/* -- recording ------------------------------------------------------------- */

static void note_gauge (struct board *b, int i, int64_t value)
{
    int n = b->gauges;

    b->gauge_set[i] = value;
    while (n <= i && !atomic_compare_exchange_weak (&b->gauges, &n, i + 1))
        ;
}

void record_gauge (struct run *r, void *h, int i, int64_t value)
{
    char name[32];
    int rc;

    snprintf (name, sizeof (name), "g%d", i);
    call_begin ();
    rc = r->client->gauge (h, name, value);
    call_end (&r->board->longest);
    if (rc == 0)
        note_gauge (r->board, i, value);
    else
        r->board->failed++;
}

static void record_line (struct run *r, void *h,
                         int (*call) (void *h, int64_t serial))
{
    int64_t serial = r->board->next_serial++;
    int rc;

    call_begin ();
    rc = call (h, serial);
    call_end (&r->board->longest);
    if (rc == 0)
        r->board->recorded.samples++;
    else
        r->board->failed++;
}

void record_packet (struct run *r, void *h)
{
    record_line (r, h, r->client->packet);
}

static void record_number (struct run *r, void *h, int (*call) (void *h))
{
    int rc;

    call_begin ();
    rc = call (h);
    call_end (&r->board->longest);
    if (rc == 0)
        r->board->recorded.numbers++;
    else
        r->board->failed++;
}

void record (struct run *r, void *h, int i)
{
    const struct client *c = r->client;

    if (r->packets)
        record_packet (r, h);
    else if (i % 10 < 4)
        record_number (r, h, c->inc);
    else if (i % 10 < 6)
        record_number (r, h, c->total);
    else if (i % 10 < 9)
        record_line (r, h, c->sample);
    else
        record_gauge (r, h, r->me, i + 1);
}

void publish (struct run *r)
{
    struct fripp_stats sum;
    struct fripp_stats stats;

    r->client->stats (r->h, &sum);
    for (int i = 0; i < r->other_count; i++) {
        r->client->stats (r->others[i], &stats);
        sum.datagrams += stats.datagrams;
        sum.dropped += stats.dropped;
        sum.pending += stats.pending;
    }
    sum.dropped -= r->dropped_before;
    r->board->stats[r->me] = sum;
}

void obey (struct run *r)
{
    struct board *b = r->board;
    int step = b->step;

    if (r->me != 0 || step == b->did)
        return;
    r->fault->act (r, step);
    measure_again ();
    if (r->me == 0)
        b->did = step;
}

static void load (struct run *r)
{
    double next = now_ms ();

    for (int i = 0; !r->board->stop;) {
        obey (r);
        for (int end = i + BATCH; i < end; i++)
            record (r, r->h, i);
        publish (r);
        if (now_ms () - delay_at > 10)
            measure_again ();
        /* what it is late, it does not make up for */
        next = next + 1 > now_ms () ? next + 1 : now_ms ();
        while (now_ms () < next) {
            struct timespec ts = { 0, (long)((next - now_ms ()) * 1e6) };

            if (ts.tv_nsec > 0)
                (void)nanosleep (&ts, NULL);
        }
    }
}

void *client_open (struct run *r)
{
    void *h;

    call_begin ();
    h = r->client->open (r->client, r->endpoint, r->period, r->settings);
    call_end (&r->board->longest);
    return h;
}

void client_main (struct run *r)
{
    struct board *b = r->board;

    alarm (STUCK);
    measure_again ();
    if (r->fault->before)
        r->fault->before (r);
    if (!(r->h = client_open (r)))
        _exit (0);
    b->made = true;
    if (r->fault->load)
        r->fault->load (r);
    else
        load (r);
    publish (r);
    b->idle++;
    if (r->fault->end)
        r->fault->end (r);
    if (r->period == NEVER)
        r->client->flush (r->h);
    while (!b->settled) {
        obey (r);
        publish (r);
        rest (1);
    }
    if (r->fault->check)
        r->fault->check (r);
    for (int i = 0; i < r->other_count; i++)
        r->client->close (r->others[i]);
    r->client->close (r->h);
    if (r->child && waitpid (r->child, NULL, 0) < 0)
        complain (r, "the child is not there: %s", strerror (errno));
    _exit (0);
}
