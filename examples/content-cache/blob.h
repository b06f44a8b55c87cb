/* blob.h - blobs are named by their SHA-1, and found by it
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef BLOB_H
#define BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blobref {
    uint8_t sha1[20];
};

void blobref_of (const void *data, size_t size, struct blobref *ref);
bool blobref_equal (const struct blobref *a, const struct blobref *b);

/* A hash table: what is in it begins with a struct node.
 */
struct node {
    struct node *next;
    struct blobref ref;
};

struct table {
    struct node **slots;
    size_t size;                /* a power of two */
    size_t count;
};

void table_insert (struct table *t, struct node *node);
void *table_find (const struct table *t, const struct blobref *ref);
void table_remove (struct table *t, struct node *node);

/* Empty the table, and free all that is in it.
 */
void table_clear (struct table *t, void (*free_node) (void *node));

/* Memory, or the end of the program.
 */
void *xzmalloc (size_t size);

#endif /* BLOB_H */

/* vi: ts=4 sw=4 expandtab
 */
