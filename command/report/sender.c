/* Sends what a content cache would, for some seconds: sender SECONDS. */

#include <fripp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEP_MS 10

struct cache {
    struct fripp_ctx *ctx;
    long count, valid, dirty, size, batch;
    long tx, rx;
};

static double draw (void)
{
    return (rand () + 1.0) / (RAND_MAX + 2.0);
}

/* log-normal, about SCALE ms */
static double latency (double scale)
{
    double u = draw (), v = draw ();
    return scale * exp (0.6 * sqrt (-2 * log (u)) * cos (6.2831853 * v));
}

static void step (struct cache *c)
{
    int stores = rand () % 20;

    for (int i = 0; i < stores; i++)
        fripp_timing (c->ctx, "content-cache.store", latency (0.4));
    for (int i = 0; i < stores / 4; i++)
        fripp_timing (c->ctx, "content-cache.load", latency (1.5));
    c->count += stores;
    c->valid = c->count - rand () % 3;
    c->dirty = rand () % 40;
    c->batch = rand () % 30;
    c->size += stores * 700L;
    c->tx += stores;
    c->rx += rand () % 9;
    fripp_gauge (c->ctx, "content-cache.count", c->count, false);
    fripp_gauge (c->ctx, "content-cache.valid", c->valid, false);
    fripp_gauge (c->ctx, "content-cache.dirty", c->dirty, false);
    fripp_gauge (c->ctx, "content-cache.size", c->size, false);
    fripp_gauge (c->ctx, "content-cache.flush-batch-count", c->batch, false);
    fripp_count (c->ctx, "kvs.request_tx", c->tx);
    fripp_count (c->ctx, "kvs.request_rx", c->rx);
    fripp_count (c->ctx, "kvs.response_tx", c->rx / 2);
    fripp_count (c->ctx, "kvs.response_rx", c->tx / 2);
    fripp_inc (c->ctx, "app.requests", 1 + rand () % 5);
    fripp_histogram (c->ctx, "app.bytes", rand () % 100000);
    fripp_gauge (c->ctx, "app.level", rand () % 7 - 3, false);
}

int main (int argc, char **argv)
{
    struct timespec pause = { .tv_nsec = STEP_MS * 1000000L };
    double seconds = argc > 1 ? atof (argv[1]) : 1;
    struct cache c = { .ctx = fripp_ctx_create_uri (NULL, NULL) };

    if (!c.ctx) {
        perror ("fripp_ctx_create_uri");
        return 1;
    }
    srand (time (NULL));
    fripp_set_prefix (c.ctx, "flux.0");
    fripp_set_agg_period (c.ctx, 0.25);
    for (int i = 0; i < seconds * 1000 / STEP_MS; i++) {
        step (&c);
        /* a restart: totals start again at 0 */
        if (i == seconds * 500 / STEP_MS)
            c.tx = c.rx = 0;
        nanosleep (&pause, NULL);
    }
    fripp_format_send (c.ctx, "no line at all\napp.users:a|s\napp.users:b|s");
    fripp_format_send (c.ctx, "app.sampled:2|c|@0.5\napp.users:a|s\n<b>:1|g");
    fripp_ctx_destroy (c.ctx);
    return 0;
}
