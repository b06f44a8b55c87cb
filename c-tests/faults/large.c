/* large.c - much at once
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "bench.h"
#include "tap.h"

/* -- one flush of 100,000 gauges, twice ------------------------------------ */

static void load_gauges (struct run *r)
{
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < GAUGES; i++) {
            record_gauge (r, r->h, i, (int64_t)round * GAUGES + i);
            if (i % 1000 == 0)
                measure_again ();
        }
        /* both are sent, by flushes of their own */
        if (round == 1)
            r->client->flush (r->h);
        publish (r);
    }
}

static void play_gauges (struct run *r)
{
    r->period = 1000;
    at_udp (r);
    server_buffer (r->server, USUAL_BUFFER);
    server_busy (r->server);
    server_start (r->server);
    if (!start (r))
        return;
    finish (r);
}

/* -- many contexts --------------------------------------------------------- */

#define CONTEXTS 200

static void load_contexts (struct run *r)
{
    static void *others[CONTEXTS - 1];

    if (r->fault->act) {
        record (r, r->h, 0);
        r->client->flush (r->h);
        r->fault->act (r, 0);
    }
    for (int i = 0; i < CONTEXTS - 1; i++) {
        if (!(others[i] = client_open (r)))
            bail_out ("context %d cannot be made", i);
    }
    r->others = others;
    r->other_count = CONTEXTS - 1;
    for (int round = 0; !r->board->stop; round++) {
        for (int i = 0; i < CONTEXTS; i++)
            record (r, i ? others[i - 1] : r->h, round % 9);
        measure_again ();
        rest (10);
    }
}

static void play_contexts (struct run *r)
{
    r->period = 100;
    at_udp (r);
    server_buffer (r->server, USUAL_BUFFER);
    server_start (r->server);
    if (!start (r))
        return;
    wait_recorded (r, 20000);
    finish (r);
}

/* No descriptor is left for any but the first: they send through its socket,
 * while the server restarts.
 */
static void act_use_up (struct run *r, int step)
{
    (void)step;
    use_up (r);
}

static void play_shared (struct run *r)
{
    r->period = 50;
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 0; i < 8; i++) {
        wait_recorded (r, 1000);
        wait_received (r);
        server_stop (r->server);
        wait_recorded (r, 1000);
        server_start (r->server);
    }
    finish (r);
}

const struct fault large[] = {
    { "100,000 gauges in one flush, twice", play_gauges,
      .load = load_gauges, .seconds = 4 },
    { "200 contexts that flush", play_contexts, .load = load_contexts,
      .only_ours = true, .seconds = 2 },
    { "200 contexts, one descriptor, 8 restarts", play_shared, act_use_up,
      .load = load_contexts, .only_ours = true, .seconds = 2 },
    { 0 }
};
