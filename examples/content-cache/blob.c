/* blob.c - blobs are named by their SHA-1, and found by it
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"

void *xzmalloc (size_t size)
{
    void *p = calloc (1, size);

    if (!p) {
        perror ("calloc");
        exit (2);
    }
    return p;
}

/* -- SHA-1, FIPS 180-4 --------------------------------------------------- */

#define BLOCK 64

static uint32_t rotl (uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void sha1_block (uint32_t h[5], const uint8_t *p)
{
    uint32_t w[80];
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

    for (int t = 0; t < 16; t++, p += 4)
        w[t] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    for (int t = 16; t < 80; t++)
        w[t] = rotl (w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (int t = 0; t < 80; t++) {
        uint32_t f = t < 20 ? (b & c) + (~b & d) + 0x5a827999
            : t < 40 ? (b ^ c ^ d) + 0x6ed9eba1
            : t < 60 ? (b & c) + (d & (b ^ c)) + 0x8f1bbcdc
            : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotl (a, 5) + f + e + w[t];

        e = d;
        d = c;
        c = rotl (b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void blobref_of (const void *data, size_t size, struct blobref *ref)
{
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                      0xc3d2e1f0 };
    const uint8_t *p = data;
    uint8_t last[2 * BLOCK] = { 0 };
    uint64_t bits = (uint64_t)size * 8;
    size_t left = size % BLOCK;
    size_t end = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;

    for (; size >= BLOCK; size -= BLOCK, p += BLOCK)
        sha1_block (h, p);
    if (left)
        memcpy (last, p, left);
    last[left] = 0x80;
    for (int i = 0; i < 8; i++)
        last[end - 1 - i] = bits >> 8 * i;
    sha1_block (h, last);
    if (end > BLOCK)
        sha1_block (h, last + BLOCK);
    for (int i = 0; i < 20; i++)
        ref->sha1[i] = h[i / 4] >> (24 - i % 4 * 8);
}

bool blobref_equal (const struct blobref *a, const struct blobref *b)
{
    return !memcmp (a, b, sizeof (*a));
}

/* -- hash table ---------------------------------------------------------- */

static struct node **slot (const struct table *t, const struct blobref *ref)
{
    size_t hash;

    memcpy (&hash, ref->sha1, sizeof (hash));
    return &t->slots[hash & (t->size - 1)];
}

static void grow (struct table *t)
{
    struct table old = *t;

    t->size = old.size ? 2 * old.size : 1024;
    t->slots = xzmalloc (t->size * sizeof (*t->slots));
    for (size_t i = 0; i < old.size; i++) {
        struct node *node, *next;

        for (node = old.slots[i]; node; node = next) {
            struct node **s = slot (t, &node->ref);

            next = node->next;
            node->next = *s;
            *s = node;
        }
    }
    free (old.slots);
}

void table_insert (struct table *t, struct node *node)
{
    struct node **s;

    if (t->count >= t->size)
        grow (t);
    s = slot (t, &node->ref);
    node->next = *s;
    *s = node;
    t->count++;
}

void *table_find (const struct table *t, const struct blobref *ref)
{
    struct node *node = t->size ? *slot (t, ref) : NULL;

    while (node && !blobref_equal (&node->ref, ref))
        node = node->next;
    return node;
}

void table_remove (struct table *t, struct node *node)
{
    struct node **s = slot (t, &node->ref);

    while (*s != node)
        s = &(*s)->next;
    *s = node->next;
    t->count--;
}

void table_clear (struct table *t, void (*free_node) (void *node))
{
    for (size_t i = 0; i < t->size; i++) {
        struct node *node, *next;

        for (node = t->slots[i]; node; node = next) {
            next = node->next;
            free_node (node);
        }
    }
    free (t->slots);
    *t = (struct table){ 0 };
}

/* vi: ts=4 sw=4 expandtab
 */
