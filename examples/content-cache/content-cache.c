/* content-cache.c - a content cache under load, which tells what it does
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: content-cache [-o FILE] [SECONDS]
 *
 * As in a Flux broker, modules are threads that send each other messages: a
 * content cache in front of a store on disk, and a module that stores and
 * loads blobs. FLUX_FRIPP_STATSD is the StatsD server, for instance
 * 127.0.0.1:8125?dialect=statsd; without it nothing is sent.
 *
 * At its end it prints what it recorded, or with -o FILE writes it there:
 * name, type, number of samples, and value (the sum of timings, in ms; the
 * last value of all others), with tabs between them.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backing.h"
#include "cache.h"
#include "kvs.h"

static const double HEARTBEAT_PERIOD = 0.25;

static volatile sig_atomic_t interrupted;

static void interrupt (int signum)
{
    interrupted = signum;
}

static void send_heartbeat (struct module *broker, struct module *to)
{
    module_send (broker, to, msg_create (MSG_EVENT, HEARTBEAT));
}

/* What a broker does for its modules, until the run ends: beat, pass events
 * on, answer keepalives, and ask a question now and then.
 */
static void broker_run (struct module *broker, struct kvs *kvs,
                        struct cache *cache)
{
    double start = now ();
    double next = start;

    for (;;) {
        struct timespec until = timespec_of (next);
        struct msg *msg = module_recv (broker, &until);
        const struct phase *phase;

        if (interrupted)
            kvs_stop (kvs);
        if (!msg) {
            send_heartbeat (broker, cache_module (cache));
            send_heartbeat (broker, kvs_module (kvs));
            module_send (broker, kvs_module (kvs),
                         msg_create (MSG_REQUEST, KVS_GETROOT));
            next += HEARTBEAT_PERIOD;
        }
        else if (msg->type == MSG_EVENT)
            module_send (broker, kvs_module (kvs), msg);
        else if (msg->type == MSG_RESPONSE)
            msg_destroy (msg);
        else {
            phase = msg->arg;
            module_send (broker, kvs_module (kvs), msg);
            if (!phase)
                return;
            printf ("%5.1f s  %-9s  %3.0f to %3.0f jobs/s\n", now () - start,
                    phase->name, phase->from, phase->to);
            fflush (stdout);
        }
    }
}

/* -- what was recorded --------------------------------------------------- */

static void say (FILE *f, const char *name, const char *type, int64_t samples,
                 int64_t value)
{
    char text[32];

    if (samples < 0)
        snprintf (text, sizeof (text), "%" PRId64, value);
    else
        snprintf (text, sizeof (text), "%" PRId64 ".%06" PRId64,
                  value / 1000000, value % 1000000);
    if (f)
        fprintf (f, "%s\t%s\t%" PRId64 "\t%s\n", name, type,
                 samples < 0 ? 0 : samples, text);
    else if (samples < 0)
        printf ("  %-38s  %-6s  %8s  %14s\n", name, type, "", text);
    else
        printf ("  %-38s  %-6s  %8" PRId64 "  %14s\n", name, type, samples,
                text);
}

static void say_all (FILE *f, const struct cache_stats *cache,
                     const struct msgcounters *kvs)
{
    static const char *types[] = { "request", "response", "event",
                                   "keepalive" };
    char name[64];

    if (!f)
        printf ("\n  %-38s  %-6s  %8s  %14s\n", "recorded", "type",
                "samples", "value");
    say (f, "flux.content-cache.0.count", "gauge", -1, cache->count);
    say (f, "flux.content-cache.0.valid", "gauge", -1, cache->valid);
    say (f, "flux.content-cache.0.dirty", "gauge", -1, cache->dirty);
    say (f, "flux.content-cache.0.size", "gauge", -1, cache->size);
    say (f, "flux.content-cache.0.flush-batch-count", "gauge", -1,
         cache->flush_batch_count);
    say (f, "flux.content-cache.load", "timing", cache->loads,
         cache->load_ns);
    say (f, "flux.content-cache.store", "timing", cache->stores,
         cache->store_ns);
    for (int i = 0; i < MSG_TYPES; i++) {
        snprintf (name, sizeof (name), "flux.kvs.0.%s_tx", types[i]);
        say (f, name, "total", -1, kvs->tx[i]);
        snprintf (name, sizeof (name), "flux.kvs.0.%s_rx", types[i]);
        say (f, name, "total", -1, kvs->rx[i]);
    }
}

static void usage (void)
{
    fprintf (stderr, "usage: content-cache [-o FILE] [SECONDS]\n");
    exit (2);
}

int main (int argc, char **argv)
{
    struct sigaction sa = { .sa_handler = interrupt };
    struct module broker;
    struct backing *backing;
    struct cache *cache;
    struct kvs *kvs;
    struct cache_stats stats;
    struct msgcounters counters;
    int64_t jobs, errors;
    double seconds = 20;
    FILE *f = NULL;
    int c;

    while ((c = getopt (argc, argv, "o:")) != -1) {
        if (c != 'o')
            usage ();
        if (!(f = fopen (optarg, "w"))) {
            perror (optarg);
            return 2;
        }
    }
    if (optind < argc) {
        char *end;

        seconds = strtod (argv[optind++], &end);
        if (*end || !(seconds > 0) || optind < argc)
            usage ();
    }
    if (!(backing = backing_create ())) {
        perror ("the store on disk");
        return 2;
    }
    sigaction (SIGINT, &sa, NULL);
    sigaction (SIGTERM, &sa, NULL);
    sigaction (SIGHUP, &sa, NULL);
    module_init (&broker, "broker");
    cache = cache_create (backing_module (backing));
    kvs = kvs_create (&broker, cache_module (cache), seconds);
    broker_run (&broker, kvs, cache);
    kvs_destroy (kvs, &counters, &jobs, &errors);
    cache_destroy (cache, &stats);
    backing_destroy (backing);
    module_destroy (&broker);

    say_all (f, &stats, &counters);
    if (f && fclose (f) != 0) {
        perror ("-o");
        return 1;
    }
    return errors + stats.errors > 0;
}

/* vi: ts=4 sw=4 expandtab
 */
