/* paths.c - paths that die although no send fails
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "tap.h"
#include "translator.h"

#define MINUTE 75               /* more or less: at most so long (s) */

/* -- a translator of addresses, whose server dies -------------------------- */

static struct server *other;

static void before_translator (struct run *r)
{
    translator_assign (server_port (r->server));
}

static void act_translator (struct run *r, int step)
{
    (void)r;
    if (step == 1)
        translator_assign (server_port (other));
    else
        clock_jump (CLOCK_MONOTONIC, MINUTE);
}

/* For 2 s, and then some, all is lost: the client can know nothing of it. A
 * minute later it is to be at the other server.
 */
static void play_translator (struct run *r)
{
    struct server *dead;
    int64_t received;

    at_udp (r);
    dead = r->server;
    at_udp (r);
    other = r->server;
    r->server = dead;
    strcpy (r->endpoint, TRANSLATOR ":8125");
    r->period = 1000;
    server_start (dead);
    server_start (other);
    if (!start (r))
        return;
    wait_recorded (r, 1000);
    wait_received (r);
    server_vanish (dead);
    r->server = other;
    received = sum_up (r->board).received;
    tell (r, 1);
    wait_recorded (r, 20000);
    if (sum_up (r->board).received > received)
        complain (r, "the translator let it pass");
    tell (r, 2);
    wait_received (r);
    server_bury (dead);
    finish (r);
}

/* -- a UNIX path that is bound again, while the old socket is full --------- */

static void play_bound_again (struct run *r)
{
    struct server *dead;

    at_path (r);
    dead = r->server;
    server_start (dead);
    if (!start (r))
        return;
    wait_recorded (r, 1000);
    wait_received (r);
    server_vanish (dead);
    wait_recorded (r, 2000);
    (void)unlink (server_endpoint (dead) + strlen ("unix:"));
    at_path (r);
    server_start (r->server);
    wait_received (r);
    server_bury (dead);
    finish (r);
}

const struct fault paths[] = {
    { "server behind an address translator dies", play_translator,
      act_translator, .before = before_translator, .only_ours = true,
      .seconds = 5 },
    { "UNIX path bound again, the old socket full", play_bound_again,
      .seconds = 2 },
    { 0 }
};
