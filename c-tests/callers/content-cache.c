/* The broker's content-cache.c as far as the week-4 document changed it: the
 * calls are the document's, to the letter.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <flux/core.h>

#include "fripp.h"
#include "callers.h"

/* of the broker, and of its libraries */
typedef struct { size_t size; } zhashx_t;
struct cache_entry;

static size_t zhashx_size (zhashx_t *hash)
{
    return hash->size;
}

static void monotime (struct timespec *t)
{
    clock_gettime (CLOCK_MONOTONIC, t);
}

static double monotime_since (struct timespec t0)
{
    struct timespec t;

    monotime (&t);
    return (t.tv_sec - t0.tv_sec) * 1e3 + (t.tv_nsec - t0.tv_nsec) / 1e6;
}

struct content_cache {
    flux_t *h;
    struct fripp_ctx *fripp;
    flux_watcher_t *w_timer;
    zhashx_t *entries;
    zhashx_t entries_here;
    int acct_valid;
    int acct_dirty;
    int acct_size;
    int flush_batch_count;
};

static  void  timer_cb (flux_reactor_t  *r, flux_watcher_t  *w, int  revents, void  *arg)
{
	struct  content_cache  *cache  =  arg;
	uint32_t  rank;

	if (flux_get_rank (cache->h, &rank) <  0)
		flux_log_error (cache->h, "flux_get_rank");
 
	fripp_format_send (cache->fripp,
		"flux.content-cache.%d.count:%d|g\n\
flux.content-cache.%d.valid:%d|g\n\
flux.content-cache.%d.dirty:%d|g\n\
flux.content-cache.%d.size:%d|g\n\
flux.content-cache.%d.flush-batch-count:%d|g",
		rank, (int) zhashx_size (cache->entries),
		rank, cache->acct_valid,
		rank, cache->acct_dirty,
		rank, cache->acct_size,
		rank, cache->flush_batch_count);
}

static  int  cache_load (struct  content_cache  *cache, struct  cache_entry  *e)
{
	struct  timespec  *t0;
	if (!(t0  =  malloc (sizeof (*t0)))) {
		flux_log (cache->h, LOG_ALERT, "fripp time start");
	} else {
		monotime (t0);
		flux_aux_set (cache->h, "fripp::cc-load", t0, free);
	}

	return 0;
}

static  void  cache_load_continuation (flux_future_t  *f, void  *arg)
{
	struct  content_cache  *cache  =  arg;
	struct  timespec  *t;
	if (!(t  =  flux_aux_get (cache->h, "fripp::cc-load"))) {
		flux_log (cache->h, LOG_ALERT, "flux_aux_get fripp::cc-load");
		errno  =  ENOMEM;
		goto  error;
	}

	fripp_format_send (cache->fripp, "flux.content-cache.load:%lf|ms", monotime_since (*t));
error:
	return;
}

static  int  cache_store (struct  content_cache  *cache, struct  cache_entry  *e)
{
	struct  timespec  *t0;
	if (!(t0  =  malloc (sizeof (*t0)))) {
		flux_log (cache->h, LOG_ALERT, "fripp time start");
	} else {
		monotime (t0);
		flux_aux_set (cache->h, "fripp::cc-store", t0, free);
	}

	return 0;
}

static  void  cache_store_continuation (flux_future_t  *f, void  *arg)
{
	struct  content_cache  *cache  =  arg;
	struct  timespec  *t;
	if (!(t  =  flux_aux_get (cache->h, "fripp::cc-store"))) {
		flux_log (cache->h, LOG_ALERT, "flux_aux_get fripp::cc-store");
		errno  =  ENOMEM;
		goto  error;
	}

	fripp_format_send (cache->fripp, "flux.content-cache.store:%lf|ms", monotime_since (*t));
error:
	return;
}

void content_cache_destroy (void *arg)
{
    struct content_cache *cache = arg;

    if (!cache)
        return;
    flux_watcher_destroy (cache->w_timer);
    fripp_ctx_destroy (cache->fripp);
    free (cache);
}

struct content_cache *content_cache_create (flux_t *h, const char *hostname,
                                            int port)
{
    struct content_cache *cache;
    flux_reactor_t *r = flux_get_reactor (h);

    if (!(cache = calloc (1, sizeof (*cache))))
        return NULL;
    cache->h = h;
    cache->entries = &cache->entries_here;
    if (!(cache->fripp = fripp_ctx_create (h, hostname, port))
        || !(cache->w_timer = flux_timer_watcher_create (r, 1.0, 1.0, timer_cb, cache))) {
        content_cache_destroy (cache);
        return NULL;
    }
    flux_watcher_start (cache->w_timer);
    return cache;
}

void content_cache_set (struct content_cache *cache,
                        const struct cache_stats *stats)
{
    cache->entries_here.size = stats->count;
    cache->acct_valid = stats->valid;
    cache->acct_dirty = stats->dirty;
    cache->acct_size = stats->size;
    cache->flush_batch_count = stats->flush_batch_count;
}

int content_cache_load (struct content_cache *cache)
{
    return cache_load (cache, NULL);
}

int content_cache_store (struct content_cache *cache)
{
    return cache_store (cache, NULL);
}

void content_cache_load_done (struct content_cache *cache)
{
    cache_load_continuation (NULL, cache);
}

void content_cache_store_done (struct content_cache *cache)
{
    cache_store_continuation (NULL, cache);
}
