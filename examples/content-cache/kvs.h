/* kvs.h - the module that makes the load, beside the content cache
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef KVS_H
#define KVS_H

#include "module.h"

struct phase {
    const char *name;
    double seconds;
    double from, to;            /* jobs a second, as it begins and ends */
    double lookups;             /* blobs that are looked up for a job */
};

/* The module "kvs": stores the blobs of jobs and looks others up, for so
 * many seconds. It tells the broker each phase as it begins by a STATE
 * message with the phase, and its end by one without.
 */
struct kvs *kvs_create (struct module *broker, struct module *cache,
                        double seconds);

/* End the run now. May be called from any thread.
 */
void kvs_stop (struct kvs *kvs);

/* Wait for its end. What it has sent and received, jobs that it ran, and
 * blobs that it did not get back as they were.
 */
void kvs_destroy (struct kvs *kvs, struct msgcounters *counters,
                  int64_t *jobs, int64_t *errors);

struct module *kvs_module (struct kvs *kvs);

#endif /* KVS_H */

/* vi: ts=4 sw=4 expandtab
 */
