/* cache-gauges.c - how full a content cache is
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A gauge is a value that goes up and down. The cache sets those that it
 * knows when its heartbeat comes, and lets one go up and down with each
 * operation: the context holds its value.
 *
 * usage: FLUX_FRIPP_STATSD=127.0.0.1:8125 cache-gauges
 */

#include <stdio.h>
#include <sys/types.h>

#include <fripp.h>

struct cache {
    struct fripp_ctx *fripp;
    ssize_t count;              /* entries */
    ssize_t valid;              /* that hold a blob */
    ssize_t dirty;              /* not in the backing store yet */
    ssize_t size;               /* bytes */
};

/* Each second, or as often as one likes: one that did not change is sent
 * again only each ten seconds, in case that the server has been restarted.
 */
static void heartbeat_cb (struct cache *cache)
{
    fripp_gauge (cache->fripp, "count", cache->count, false);
    fripp_gauge (cache->fripp, "valid", cache->valid, false);
    fripp_gauge (cache->fripp, "dirty", cache->dirty, false);
    /* the bytes of a large cache dwarf all else in one graph: in MiB */
    fripp_gauge_real (cache->fripp, "size", cache->size / 1048576.);
}

/* A batch of dirty entries on its way to the store: 'true' adds.
 */
static void flush_begin (struct cache *cache, int entries)
{
    fripp_gauge (cache->fripp, "flush_batch_count", entries, true);
}

static void flush_end (struct cache *cache, int entries)
{
    fripp_gauge (cache->fripp, "flush_batch_count", -entries, true);
    cache->dirty -= entries;
}

static void store (struct cache *cache, ssize_t size)
{
    cache->count++;
    cache->valid++;
    cache->dirty++;
    cache->size += size;
}

int main (void)
{
    struct cache cache = { 0 };

    if (!(cache.fripp = fripp_ctx_create_uri (NULL, NULL))) {
        perror ("fripp_ctx_create_uri");
        return 1;
    }
    if (fripp_set_prefix (cache.fripp, "flux.content-cache") < 0)
        perror ("fripp_set_prefix");

    for (int i = 0; i < 1000; i++)
        store (&cache, 3072);
    flush_begin (&cache, 256);
    flush_begin (&cache, 128);
    flush_end (&cache, 256);
    heartbeat_cb (&cache);

    fripp_ctx_destroy (cache.fripp);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
