/* message-counters.c - the message counters of a module, each second
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * The module keeps running totals of the messages that it sent and received,
 * as a Flux broker's modservice.c does. It hands them to fripp_count () from
 * a timer, and need not know what the server makes of them: brubeck is sent
 * the totals, all others what they grew by.
 *
 * usage: FLUX_FRIPP_STATSD=127.0.0.1:8125 message-counters
 */

#include <stdio.h>
#include <sys/types.h>

#include <fripp.h>

struct msgcounters {
    ssize_t request_tx;
    ssize_t request_rx;
    ssize_t response_tx;
    ssize_t response_rx;
};

struct module {
    struct fripp_ctx *fripp;
    struct msgcounters mcs;
};

/* In a broker this is a flux_watcher_f that fires each second. No call waits
 * for the network, so it is as quick as it looks.
 */
static void timer_cb (struct module *mod)
{
    fripp_count (mod->fripp, "request_tx", mod->mcs.request_tx);
    fripp_count (mod->fripp, "request_rx", mod->mcs.request_rx);
    fripp_count (mod->fripp, "response_tx", mod->mcs.response_tx);
    fripp_count (mod->fripp, "response_rx", mod->mcs.response_rx);
}

static void work (struct module *mod)
{
    mod->mcs.request_rx += 10;
    mod->mcs.response_tx += 10;
    mod->mcs.request_tx += 3;
    mod->mcs.response_rx += 2;
}

int main (void)
{
    struct module mod = { 0 };

    /* NULL, NULL: no Flux handle here, and the endpoint and settings of
     * the environment; without any, all calls do nothing
     */
    if (!(mod.fripp = fripp_ctx_create_uri (NULL, NULL))) {
        perror ("fripp_ctx_create_uri");
        return 1;
    }
    /* a context is cheap: each module has its own, with its own prefix */
    if (fripp_set_prefix (mod.fripp, "flux.kvs.{{rank}}") < 0)
        perror ("fripp_set_prefix");

    for (int second = 0; second < 3; second++) {
        work (&mod);
        timer_cb (&mod);
    }
    /* what is pending is sent now */
    fripp_ctx_destroy (mod.fripp);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
