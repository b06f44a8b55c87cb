/* callers.h - the two callers in Flux's broker, as the week-4 document has
 * them, with as much of the broker around them as they need to compile
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef CALLERS_H
#define CALLERS_H

#include <flux/core.h>

/* modservice.c */

typedef struct {
    int request_tx;
    int request_rx;
    int response_tx;
    int response_rx;
    int event_tx;
    int event_rx;
    int keepalive_tx;
    int keepalive_rx;
} flux_msgcounters_t;

typedef struct modservice_ctx modservice_ctx_t;

modservice_ctx_t *modservice_create (flux_t *h, const char *mod_name,
                                     const char *hostname, int port);
void modservice_destroy (void *ctx);
void modservice_set (modservice_ctx_t *ctx, const flux_msgcounters_t *mcs);

/* content-cache.c */

struct cache_stats {
    int count;
    int valid;
    int dirty;
    int size;
    int flush_batch_count;
};

struct content_cache;

struct content_cache *content_cache_create (flux_t *h, const char *hostname,
                                            int port);
void content_cache_destroy (void *cache);
void content_cache_set (struct content_cache *cache,
                        const struct cache_stats *stats);
int content_cache_load (struct content_cache *cache);
int content_cache_store (struct content_cache *cache);
void content_cache_load_done (struct content_cache *cache);
void content_cache_store_done (struct content_cache *cache);

#endif /* !CALLERS_H */
