/* names.c - names of hosts that are slow, wrong for a while, or change
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <pthread.h>
#include <stdio.h>

#include "bench.h"
#include "clock.h"
#include "resolver.h"
#include "tap.h"

#define HOST "metrics.example"
#define SLOW 10000              /* ms */
#define MINUTE 75               /* more or less: at most so long (s) */

/* -- a resolver that takes 10 s: a client that waits for it cannot be told to
 * go on, so it is a thread that does --------------------------------------- */

static void *answer_late (void *arg)
{
    (void)arg;
    rest (SLOW);
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    return NULL;
}

/* The player's copy of the resolver is the client's, when that is forked.
 */
static void at_name (struct run *r)
{
    at_udp (r);
    snprintf (r->endpoint, sizeof (r->endpoint), "%s:%d", HOST,
              server_port (r->server));
}

static void make_slow (struct run *r)
{
    pthread_t thread;

    (void)r;
    resolver_block (true);
    if (pthread_create (&thread, NULL, answer_late, NULL)
        || pthread_detach (thread))
        bail_out ("no thread");
}

static void play_slow (struct run *r)
{
    at_name (r);
    server_start (r->server);
    if (!start (r))
        return;
    wait_received (r);
    wait_recorded (r, 5000);
    finish (r);
}

/* -- a name without an address -------------------------------------------- */

static void act_answer (struct run *r, int step)
{
    (void)r;
    resolver_answer (step == 1 ? "127.0.0.1" : "127.0.0.2");
}

static void play_unknown (struct run *r)
{
    at_name (r);
    resolver_answer (NULL);
    play_step (r);
}

/* -- a server that moves: its name has another address --------------------- */

static void play_moved (struct run *r)
{
    struct server *before;
    struct server *after;

    do {
        at_name (r);
        before = r->server;
        after = server_udp (r, "127.0.0.2", server_port (before));
    } while (!after);
    resolver_answer ("127.0.0.1");
    server_start (before);
    if (!start (r))
        return;
    wait_recorded (r, 1000);
    wait_received (r);
    server_stop (before);
    r->server = after;
    server_start (after);
    tell (r, 2);
    wait_recorded (r, 20000);
    wait_received (r);
    finish (r);
}

/* -- round-robin DNS: the same servers, in another order each time --------- */

static void act_rotate (struct run *r, int step)
{
    static const char *const orders[] = {
        "127.0.0.1 127.0.0.2 127.0.0.3", "127.0.0.2 127.0.0.3 127.0.0.1",
        "127.0.0.3 127.0.0.1 127.0.0.2",
    };

    if (r->client->ours && resolver_calls () < step)
        complain (r, "the name was looked up %d times", resolver_calls ());
    resolver_answer (orders[step % 3]);
    clock_jump (CLOCK_MONOTONIC, MINUTE);
}

static void play_rotate (struct run *r)
{
    struct listener *others[2];

    do {
        at_name (r);
        others[0] = listen_udp_at ("127.0.0.2", server_port (r->server));
        others[1] = listen_udp_at ("127.0.0.3", server_port (r->server));
    } while (!others[0] || !others[1]);
    resolver_answer ("127.0.0.1 127.0.0.2 127.0.0.3");
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 1; i <= 10; i++) {
        wait_recorded (r, 1000);
        wait_received (r);
        tell (r, i);
    }
    finish (r);
    if (listener_quiet (others[0], 0) + listener_quiet (others[1], 0) > 0)
        complain (r, "it moved to another server");
}

/* -- many addresses, of which one has a server, and that not at once ------- */

static void play_many (struct run *r)
{
    char addresses[4000 * sizeof ("127.1.255.255")];
    size_t len = 0;

    for (int i = 1; i <= 4000; i++)
        len += (size_t)snprintf (addresses + len, sizeof (addresses) - len,
                                 "127.1.%d.%d ", i / 256, i % 256);
    if (!(r->server = server_udp (r, "127.1.0.50", 0)))
        bail_out ("no UDP on loopback");
    snprintf (r->endpoint, sizeof (r->endpoint), "%s:%d", HOST,
              server_port (r->server));
    resolver_answer (addresses);
    if (!start (r))
        return;
    wait_recorded (r, 10000);
    server_start (r->server);
    wait_received (r);
    finish (r);
}

const struct fault names[] = {
    { "resolver takes 10 s", play_slow, .before = make_slow, .seconds = 12 },
    { "name has no address for 1 s", play_unknown, act_answer, .seconds = 3 },
    { "server moved: its name has another address", play_moved, act_answer,
      .seconds = 4 },
    { "name server rotates 3 addresses, 10 lookups", play_rotate, act_rotate,
      .only_ours = true, .seconds = 2 },
    { "4,000 addresses, 49 refuse before the right one", play_many,
      .seconds = 2 },
    { 0 }
};
