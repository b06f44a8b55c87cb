/* cache.h - the content cache, in front of a store on disk
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef CACHE_H
#define CACHE_H

#include "module.h"

/* What the cache tells of itself, at its end for the table.
 */
struct cache_stats {
    int64_t count;              /* entries */
    int64_t valid;              /* whose data is here */
    int64_t dirty;              /* whose data is not on disk yet */
    int64_t size;               /* bytes */
    int64_t flush_batch_count;  /* stores under way */
    int64_t loads, load_ns;     /* from the store, and how long they took */
    int64_t stores, store_ns;
    int64_t errors;
};

/* The module "content-cache": answers CONTENT_STORE at once and stores the
 * blob after that, CONTENT_LOAD with the blob, and CONTENT_FLUSH when all is
 * stored. At each HEARTBEAT it evicts entries, the least recently used
 * first, where there are too many bytes. NULL with errno on failure.
 */
struct cache *cache_create (struct module *backing);

/* Answer what is left, and end.
 */
void cache_destroy (struct cache *cache, struct cache_stats *stats);

struct module *cache_module (struct cache *cache);

#endif /* CACHE_H */

/* vi: ts=4 sw=4 expandtab
 */
