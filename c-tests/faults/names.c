/* names.c - names of hosts that are slow, wrong for a while, or change
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <pthread.h>
#include <stdio.h>

#include "bench.h"
#include "resolver.h"
#include "tap.h"

#define HOST "metrics.example"
#define SLOW 10000              /* ms */

/* -- a resolver that takes 10 s: a client that waits for it cannot be told to
 * go on, so it is a thread that does ---------------------------------------- */

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

const struct fault names[] = {
    { "resolver takes 10 s", play_slow, .before = make_slow, .seconds = 12 },
    { "name has no address for 1 s", play_unknown, act_answer, .seconds = 3 },
    { "server moved: its name has another address", play_moved, act_answer,
      .seconds = 4 },
    { 0 }
};
