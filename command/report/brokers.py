# SPDX-License-Identifier: MIT OR Apache-2.0
"""What brokers of an instance send, as if they ran."""

import math
import random


def brokers(ranks, seconds, factor=1.0, seed=1):
    """A list of (seconds, datagram): each rank's cache, messages and jobs. By
    `factor` loads take longer, and caches are larger."""
    draw = random.Random(seed)
    size, sent = [0] * ranks, [0] * ranks
    datagrams = []
    for at in range(seconds):
        busy = 1 + math.sin(at / 20) ** 2
        for rank in range(ranks):
            # the leader does most, and one broker is slow
            load = factor * (4 if rank == 0 else 1) * busy
            slow = 12 if rank == ranks // 2 and at > seconds // 2 else 1
            size[rank] += int(load * draw.randrange(20_000))
            sent[rank] += int(load * draw.randrange(40))
            of = f"flux.{rank}.content-cache"
            lines = [f"{of}.size:{size[rank]}|g", f"{of}.count:{size[rank] // 700}|g",
                     f"{of}.valid:{size[rank] // 700}|g", f"{of}.dirty:{draw.randrange(8)}|g",
                     f"flux.{rank}.kvs.request_tx:{sent[rank]}|C",
                     f"flux.{rank}.kvs.response_rx:{sent[rank]}|C"]
            lines += [f"{of}.load:{factor * slow * draw.lognormvariate(0, 0.6):.6f}|ms"
                      for _ in range(draw.randrange(4))]
            if rank == 0:
                lines.append(f"flux.0.job-manager.jobs:{draw.randrange(50)}|c")
            datagrams.append((at + (rank + 1) / (ranks + 2), "\n".join(lines).encode()))
    return datagrams
