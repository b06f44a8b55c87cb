/* kvs.c - the module that makes the load, beside the content cache
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * As when jobs are submitted: each job stores some blobs (its jobspec, its
 * log, a directory), is committed when they are stored, and looks up blobs of
 * jobs before it. The message counters go to a StatsD server as the running
 * totals that they are, by a handle each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvs.h"
#include "metrics.h"

#define JOB_BLOBS 4
#define RECENT 1500             /* half of the lookups are of the last ones */

/* 20 seconds; a longer run goes through them again.
 */
static const struct phase phases[] = {
    { "ramp up", 5, 5, 300, 0.5 },
    { "burst", 1.2, 750, 750, 0.5 },
    { "quiet", 1.8, 8, 8, 1 },
    { "burst", 1, 500, 900, 0.5 },
    { "quiet", 2, 8, 8, 1 },
    { "lookups", 4, 60, 120, 8 },
    { "steady", 3, 250, 250, 2 },
    { "ramp down", 2, 250, 5, 1 },
};
#define PHASES (sizeof (phases) / sizeof (phases[0]))

struct job {
    int pending;                /* blobs that are not stored yet */
};

struct kvs {
    struct module module;
    struct module *broker;
    struct module *cache;
    pthread_t thread;
    struct fripp_ctx *fripp;
    struct fripp_metric *tx[MSG_TYPES];
    struct fripp_metric *rx[MSG_TYPES];
    double seconds;
    double end;                 /* of the run */
    bool stopped;
    struct blobref *refs;       /* of all that was stored */
    size_t count;
    size_t size;
    uint64_t random;
    int64_t requests;           /* that are not answered yet */
    int64_t jobs;
    int64_t errors;
    double lookups;             /* what is left of them, below 1 */
};

/* xorshift64: the same load in each run
 */
static uint64_t draw (struct kvs *kvs, uint64_t below)
{
    kvs->random ^= kvs->random << 13;
    kvs->random ^= kvs->random >> 7;
    kvs->random ^= kvs->random << 17;
    return (kvs->random >> 16) % below;
}

static void counters_create (struct kvs *kvs)
{
    static const char *types[] = { "request", "response", "event",
                                   "keepalive" };
    char name[64];

    for (int i = 0; i < MSG_TYPES; i++) {
        snprintf (name, sizeof (name), "kvs.0.%s_tx", types[i]);
        kvs->tx[i] = fripp_metric_get (kvs->fripp, FRIPP_TOTAL, name, NULL);
        snprintf (name, sizeof (name), "kvs.0.%s_rx", types[i]);
        kvs->rx[i] = fripp_metric_get (kvs->fripp, FRIPP_TOTAL, name, NULL);
    }
}

static void counters_update (struct kvs *kvs)
{
    const struct msgcounters *counters = &kvs->module.counters;

    for (int i = 0; i < MSG_TYPES; i++) {
        if (fripp_metric_set (kvs->tx[i], counters->tx[i]) < 0
            || fripp_metric_set (kvs->rx[i], counters->rx[i]) < 0)
            perror ("fripp_metric_set");
    }
}

static void request (struct kvs *kvs, struct msg *msg)
{
    kvs->requests++;
    module_send (&kvs->module, kvs->cache, msg);
}

static void store (struct kvs *kvs, struct job *job, size_t size)
{
    struct msg *msg = msg_create (MSG_REQUEST, CONTENT_STORE);
    uint64_t *words = xzmalloc ((size + 7) / 8 * 8);

    for (size_t i = 0; i < (size + 7) / 8; i++)
        words[i] = draw (kvs, UINT64_MAX);
    msg->data = words;
    msg->size = size;
    msg->arg = job;
    request (kvs, msg);
}

static void lookup (struct kvs *kvs)
{
    struct msg *msg = msg_create (MSG_REQUEST, CONTENT_LOAD);
    size_t back = kvs->count > RECENT && draw (kvs, 2) ? RECENT
        : kvs->count;

    msg->ref = kvs->refs[kvs->count - 1 - draw (kvs, back)];
    request (kvs, msg);
}

static void submit (struct kvs *kvs, double lookups)
{
    struct job *job = xzmalloc (sizeof (*job));

    job->pending = JOB_BLOBS;
    store (kvs, job, 1024 + draw (kvs, 3072));
    for (int i = 1; i < JOB_BLOBS; i++)
        store (kvs, job, 100 + draw (kvs, 700));
    for (kvs->lookups += lookups; kvs->lookups >= 1; kvs->lookups--) {
        if (kvs->count > 0)
            lookup (kvs);
    }
    kvs->jobs++;
}

static void stored (struct kvs *kvs, struct msg *msg)
{
    struct job *job = msg->arg;

    if (kvs->count == kvs->size) {
        kvs->size = kvs->size ? 2 * kvs->size : 1024;
        if (!(kvs->refs = realloc (kvs->refs,
                                   kvs->size * sizeof (*kvs->refs)))) {
            perror ("realloc");
            exit (2);
        }
    }
    kvs->refs[kvs->count++] = msg->ref;
    if (--job->pending == 0) {
        module_send (&kvs->module, kvs->broker,
                     msg_create (MSG_EVENT, KVS_SETROOT));
        free (job);
    }
}

static void receive (struct kvs *kvs, struct msg *msg)
{
    if (msg->type == MSG_REQUEST) {
        if (kvs->count > 0)
            msg->ref = kvs->refs[kvs->count - 1];
        module_respond (&kvs->module, msg, kvs->count > 0 ? 0 : ENOENT, NULL,
                        0);
        return;
    }
    if (msg->type == MSG_RESPONSE) {
        kvs->requests--;
        if (msg->errnum) {
            fprintf (stderr, "content-cache: %s\n", strerror (msg->errnum));
            kvs->errors++;
        }
        if (msg->topic == CONTENT_STORE)
            stored (kvs, msg);
        else if (msg->topic == CONTENT_LOAD && !msg->errnum) {
            struct blobref ref;

            blobref_of (msg->data, msg->size, &ref);
            if (!blobref_equal (&ref, &msg->ref)) {
                fprintf (stderr, "content-cache: a blob has changed\n");
                kvs->errors++;
            }
        }
    }
    else if (msg->topic == HEARTBEAT)
        counters_update (kvs);
    msg_destroy (msg);
}

static void tell_state (struct kvs *kvs, const struct phase *phase)
{
    struct msg *msg = msg_create (MSG_KEEPALIVE, STATE);

    msg->arg = (void *)phase;
    module_send (&kvs->module, kvs->broker, msg);
}

static bool is_stopped (struct kvs *kvs)
{
    return __atomic_load_n (&kvs->stopped, __ATOMIC_RELAXED);
}

/* Submit jobs until the phase or the run is over.
 */
static void run (struct kvs *kvs, const struct phase *phase, double start)
{
    double end = start + phase->seconds;
    double next = start;

    if (end > kvs->end)
        end = kvs->end;
    tell_state (kvs, phase);
    while (!is_stopped (kvs)) {
        struct timespec until = timespec_of (next < end ? next : end);
        struct msg *msg = module_recv (&kvs->module, &until);

        if (msg)
            receive (kvs, msg);
        else if (next >= end)
            return;
        else {
            submit (kvs, phase->lookups);
            next += 1 / (phase->from + (phase->to - phase->from)
                         * (next - start) / phase->seconds);
        }
    }
}

static void *kvs_thread (void *arg)
{
    struct kvs *kvs = arg;
    double start = now ();

    counters_update (kvs);
    kvs->end = start + kvs->seconds;
    for (size_t i = 0; start < kvs->end && !is_stopped (kvs); i++) {
        run (kvs, &phases[i % PHASES], start);
        start += phases[i % PHASES].seconds;
    }
    while (kvs->requests > 0)
        receive (kvs, module_recv (&kvs->module, NULL));
    request (kvs, msg_create (MSG_REQUEST, CONTENT_FLUSH));
    while (kvs->requests > 0)
        receive (kvs, module_recv (&kvs->module, NULL));
    tell_state (kvs, NULL);
    counters_update (kvs);
    metrics_destroy (kvs->fripp);
    return NULL;
}

struct kvs *kvs_create (struct module *broker, struct module *cache,
                        double seconds)
{
    struct kvs *kvs = xzmalloc (sizeof (*kvs));

    module_init (&kvs->module, "kvs");
    kvs->broker = broker;
    kvs->cache = cache;
    kvs->seconds = seconds;
    kvs->random = 88172645463325252;
    kvs->fripp = metrics_create ();
    counters_create (kvs);
    if ((errno = pthread_create (&kvs->thread, NULL, kvs_thread, kvs))) {
        perror ("pthread_create");
        exit (2);
    }
    return kvs;
}

void kvs_stop (struct kvs *kvs)
{
    __atomic_store_n (&kvs->stopped, true, __ATOMIC_RELAXED);
}

void kvs_destroy (struct kvs *kvs, struct msgcounters *counters,
                  int64_t *jobs, int64_t *errors)
{
    pthread_join (kvs->thread, NULL);
    *counters = kvs->module.counters;
    *jobs = kvs->jobs;
    *errors = kvs->errors;
    module_destroy (&kvs->module);
    free (kvs->refs);
    free (kvs);
}

struct module *kvs_module (struct kvs *kvs)
{
    return &kvs->module;
}

/* vi: ts=4 sw=4 expandtab
 */
