/* cache.c - the content cache, in front of a store on disk
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * It tells a StatsD server what it holds, by gauges, and how long each load
 * and each store took, by a timer that is in the struct of the operation.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#include "cache.h"
#include "entry.h"
#include "metrics.h"

#define FLUSH_BATCH_LIMIT 32
#define SIZE_MAX_BYTES (2 << 20)        /* more than this is too much, */
#define SIZE_TARGET (3 << 19)           /* and goes down to this */

struct op {                     /* a load or a store under way */
    struct fripp_timer timer;
    struct entry *entry;
};

struct cache {
    struct module module;
    struct module *backing;
    pthread_t thread;
    struct fripp_ctx *fripp;
    struct fripp_metric *load;
    struct fripp_metric *store;
    struct entries entries;
    struct entry *first_dirty;  /* those that wait for their turn */
    struct entry **last_dirty;
    struct msg *flush;          /* a request that waits */
    struct cache_stats acct;
};

static void gauge (struct cache *cache, const char *name, int64_t value)
{
    if (fripp_gauge (cache->fripp, name, value, false) < 0)
        perror (name);
}

static void update_stats (struct cache *cache)
{
    struct cache_stats *acct = &cache->acct;

    acct->count = cache->entries.table.count;
    acct->valid = cache->entries.valid;
    acct->size = cache->entries.size;
    gauge (cache, "content-cache.0.count", acct->count);
    gauge (cache, "content-cache.0.valid", acct->valid);
    gauge (cache, "content-cache.0.dirty", acct->dirty);
    gauge (cache, "content-cache.0.size", acct->size);
    gauge (cache, "content-cache.0.flush-batch-count",
           acct->flush_batch_count);
}

static void respond_load (struct cache *cache, struct msg *request,
                          const struct entry *e)
{
    void *copy = xzmalloc (e->size);

    memcpy (copy, e->data, e->size);
    module_respond (&cache->module, request, 0, copy, e->size);
}

/* -- operations of the store --------------------------------------------- */

static struct msg *op_create (struct entry *e, enum topic topic)
{
    struct msg *msg = msg_create (MSG_REQUEST, topic);
    struct op *op = xzmalloc (sizeof (*op));

    op->entry = e;
    msg->arg = op;
    msg->ref = e->node.ref;
    fripp_timer_start (&op->timer);
    return msg;
}

/* The end of an operation. The cache wants to know the time itself;
 * otherwise fripp_metric_stop (metric, &op->timer) would do.
 */
static struct entry *op_finish (struct cache *cache, struct msg *msg,
                                struct fripp_metric *metric,
                                int64_t *count, int64_t *ns)
{
    struct op *op = msg->arg;
    struct entry *e = op->entry;
    double ms = fripp_timer_elapsed (&op->timer);

    if (fripp_metric_record (metric, ms) < 0)
        perror ("fripp_metric_record");
    *count += 1;
    *ns += (int64_t)(ms * 1e6 + 0.5);
    if (msg->errnum) {
        fprintf (stderr, "content-backing: %s\n", strerror (msg->errnum));
        cache->acct.errors++;
    }
    free (op);
    return e;
}

static void cache_load (struct cache *cache, struct entry *e)
{
    module_send (&cache->module, cache->backing,
                 op_create (e, CONTENT_LOAD));
}

static void cache_load_continuation (struct cache *cache, struct msg *msg)
{
    struct entry *e = op_finish (cache, msg, cache->load, &cache->acct.loads,
                                 &cache->acct.load_ns);
    struct msg *loads = e->loads;
    struct msg *request;

    e->loads = NULL;
    if (msg->errnum == 0) {
        entry_fill (&cache->entries, e, msg);
        entry_release (&cache->entries, e);
    }
    while ((request = loads)) {
        loads = request->next;
        if (e->valid)
            respond_load (cache, request, e);
        else
            module_respond (&cache->module, request, msg->errnum, NULL, 0);
    }
    if (!e->valid)
        entry_drop (&cache->entries, e);
}

/* Store dirty entries, as many at once as may be.
 */
static void cache_store (struct cache *cache)
{
    struct entry *e;

    while ((e = cache->first_dirty)
           && cache->acct.flush_batch_count < FLUSH_BATCH_LIMIT) {
        struct msg *msg = op_create (e, CONTENT_STORE);

        if (!(cache->first_dirty = e->next_dirty))
            cache->last_dirty = &cache->first_dirty;
        msg->data = xzmalloc (e->size);
        msg->size = e->size;
        memcpy (msg->data, e->data, e->size);
        cache->acct.flush_batch_count++;
        module_send (&cache->module, cache->backing, msg);
    }
    if (cache->acct.dirty == 0 && cache->flush) {
        module_respond (&cache->module, cache->flush, 0, NULL, 0);
        cache->flush = NULL;
    }
}

static void cache_store_continuation (struct cache *cache, struct msg *msg)
{
    struct entry *e = op_finish (cache, msg, cache->store,
                                 &cache->acct.stores, &cache->acct.store_ns);

    e->dirty = false;
    cache->acct.dirty--;
    cache->acct.flush_batch_count--;
    entry_release (&cache->entries, e);
    cache_store (cache);
}

static void cache_purge (struct cache *cache)
{
    if (cache->entries.size > SIZE_MAX_BYTES)
        entries_evict (&cache->entries, SIZE_TARGET);
}

/* -- requests ------------------------------------------------------------ */

static void load_request (struct cache *cache, struct msg *msg)
{
    struct entry *e = table_find (&cache->entries.table, &msg->ref);

    if (e && e->valid) {
        if (!e->dirty)
            entry_touch (&cache->entries, e);
        respond_load (cache, msg, e);
        return;
    }
    if (!e) {
        e = entry_create (&cache->entries, &msg->ref);
        cache_load (cache, e);
    }
    msg->next = e->loads;
    e->loads = msg;
}

static void store_request (struct cache *cache, struct msg *msg)
{
    struct blobref ref;

    blobref_of (msg->data, msg->size, &ref);
    /* one that is being loaded is in the store, and will be valid soon */
    if (!table_find (&cache->entries.table, &ref)) {
        struct entry *e = entry_create (&cache->entries, &ref);

        entry_fill (&cache->entries, e, msg);
        e->dirty = true;
        cache->acct.dirty++;
        e->next_dirty = NULL;
        *cache->last_dirty = e;
        cache->last_dirty = &e->next_dirty;
        cache_store (cache);
    }
    msg->ref = ref;
    module_respond (&cache->module, msg, 0, NULL, 0);
}

static void cache_message (struct cache *cache, struct msg *msg)
{
    if (msg->type == MSG_REQUEST && msg->topic == CONTENT_LOAD)
        load_request (cache, msg);
    else if (msg->type == MSG_REQUEST && msg->topic == CONTENT_STORE)
        store_request (cache, msg);
    else if (msg->type == MSG_REQUEST) {
        cache->flush = msg;
        cache_store (cache);
    }
    else {
        if (msg->type == MSG_EVENT)
            cache_purge (cache);
        else if (msg->topic == CONTENT_LOAD)
            cache_load_continuation (cache, msg);
        else
            cache_store_continuation (cache, msg);
        msg_destroy (msg);
    }
    update_stats (cache);
}

/* -- the module ---------------------------------------------------------- */

static void *cache_thread (void *arg)
{
    struct cache *cache = arg;
    struct msg *msg;

    update_stats (cache);
    while ((msg = module_recv (&cache->module, NULL)))
        cache_message (cache, msg);
    return NULL;
}

void cache_destroy (struct cache *cache, struct cache_stats *stats)
{
    module_close (&cache->module);
    pthread_join (cache->thread, NULL);
    metrics_destroy (cache->fripp);
    *stats = cache->acct;
    entries_clear (&cache->entries);
    module_destroy (&cache->module);
    free (cache);
}

struct cache *cache_create (struct module *backing)
{
    struct cache *cache = xzmalloc (sizeof (*cache));

    module_init (&cache->module, "content-cache");
    cache->backing = backing;
    cache->last_dirty = &cache->first_dirty;
    cache->fripp = metrics_create ();
    cache->load = fripp_metric_get (cache->fripp, FRIPP_TIMER,
                                    "content-cache.load", NULL);
    cache->store = fripp_metric_get (cache->fripp, FRIPP_TIMER,
                                     "content-cache.store", NULL);
    if ((errno = pthread_create (&cache->thread, NULL, cache_thread, cache))) {
        perror ("pthread_create");
        exit (2);
    }
    return cache;
}

struct module *cache_module (struct cache *cache)
{
    return &cache->module;
}

/* vi: ts=4 sw=4 expandtab
 */
