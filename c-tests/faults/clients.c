/* clients.c - the clients that are compared, with the same calls for each
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "proc.h"
#include "tap.h"

/* -- the library ----------------------------------------------------------- */

struct ours {
    struct fripp_ctx *ctx;
    ssize_t total;
};

static void *ours_open (const struct client *c, const char *endpoint,
                        int period, const char *settings)
{
    struct ours *ours = calloc (1, sizeof (*ours));
    char uri[512];

    (void)c;
    snprintf (uri, sizeof (uri), "%s?dialect=statsd&prefix=faults&period=%g&%s",
              endpoint, period / 1e3, *settings ? settings : "refresh=10");
    if (!ours)
        bail_out ("out of memory");
    if (!(ours->ctx = fripp_ctx_create_uri (NULL, uri))) {
        free (ours);
        return NULL;
    }
    return ours;
}

static int ours_inc (void *h)
{
    struct ours *ours = h;

    return fripp_inc (ours->ctx, "n", 1);
}

static int ours_total (void *h)
{
    struct ours *ours = h;

    return fripp_count (ours->ctx, "total", ++ours->total);
}

static int ours_sample (void *h, int64_t serial)
{
    struct ours *ours = h;

    return fripp_timing (ours->ctx, "t", (double)serial);
}

static int ours_gauge (void *h, const char *name, int64_t value)
{
    struct ours *ours = h;

    return fripp_gauge (ours->ctx, name, value, false);
}

static int ours_packet (void *h, int64_t serial)
{
    struct ours *ours = h;

    return fripp_format_send (ours->ctx, "faults.p:%lld|ms",
                              (long long)serial);
}

static void ours_flush (void *h)
{
    struct ours *ours = h;
    double end = now_ms () + 2000;

    while (fripp_flush (ours->ctx) < 0 && now_ms () < end)
        ;
}

static void ours_close (void *h)
{
    struct ours *ours = h;

    fripp_ctx_destroy (ours->ctx);
}

static void ours_stats (void *h, struct fripp_stats *stats)
{
    struct ours *ours = h;

    fripp_get_stats (ours->ctx, stats, sizeof (*stats));
}

/* -- the others, of benches/peers/src/faults.rs ---------------------------- */

static struct {
    void *(*open) (int which, const char *endpoint, int period);
    int (*inc) (void *h);
    int (*sample) (void *h, uint64_t serial);
    int (*gauge) (void *h, const char *name, uint64_t value);
    void (*flush) (void *h);
    void (*close) (void *h);
    uint64_t (*dropped) (void *h);
} peers;

bool peers_load (const char *path)
{
    void *dso;

    if (!path || !*path)
        return false;
    if (!(dso = dlopen (path, RTLD_NOW | RTLD_LOCAL))) {
        fprintf (stderr, "FRIPP_PEERS: %s\n", dlerror ());
        return false;
    }
    *(void **)&peers.open = dlsym (dso, "peer_open");
    *(void **)&peers.inc = dlsym (dso, "peer_inc");
    *(void **)&peers.sample = dlsym (dso, "peer_sample");
    *(void **)&peers.gauge = dlsym (dso, "peer_gauge");
    *(void **)&peers.flush = dlsym (dso, "peer_flush");
    *(void **)&peers.close = dlsym (dso, "peer_close");
    *(void **)&peers.dropped = dlsym (dso, "peer_dropped");
    return peers.open && peers.inc && peers.sample && peers.gauge
           && peers.flush && peers.close && peers.dropped;
}

static void *peer_open (const struct client *c, const char *endpoint,
                        int period, const char *settings)
{
    (void)settings;
    return peers.open (c->which, endpoint, period);
}

static int peer_inc (void *h)
{
    return peers.inc (h);
}

static int peer_sample (void *h, int64_t serial)
{
    return peers.sample (h, (uint64_t)serial);
}

static int peer_gauge (void *h, const char *name, int64_t value)
{
    return peers.gauge (h, name, (uint64_t)value);
}

static void peer_flush (void *h)
{
    peers.flush (h);
}

static void peer_close (void *h)
{
    peers.close (h);
}

static void peer_stats (void *h, struct fripp_stats *stats)
{
    memset (stats, 0, sizeof (*stats));
    stats->dropped = peers.dropped (h);
}

#define PEER peer_open, peer_inc, peer_inc, peer_sample, peer_gauge, NULL, \
             peer_flush, peer_close, peer_stats

const struct client clients[] = {
    { "libfripp", FRIPP_STATSD, true, 0, ours_open, ours_inc, ours_total,
      ours_sample, ours_gauge, ours_packet, ours_flush, ours_close,
      ours_stats },
    { "cadence", FRIPP_STATSD, false, 0, PEER },
    { "exporter", FRIPP_DOGSTATSD, false, 1, PEER },
};
const int client_count = sizeof (clients) / sizeof (clients[0]);
