"""A maximum flow for each site on standard input (a line of JSON), by OR-tools' SimpleMaxFlow on one
thread. Prints the flow and the seconds Solve() took; building the network is not counted."""

import json
import sys
import time

import numpy as np
from ortools.graph.python import max_flow

for line in sys.stdin:
    site = json.loads(line)
    groups, buckets = site["groups"], site["buckets"]
    served = np.array([mask for mask, _ in buckets], dtype=np.int64)
    free = np.array([free for _, free in buckets], dtype=np.int64)
    # Nodes: the source, the groups of people, the buckets of slots, the sink.
    source, first_bucket = 0, 1 + len(groups)
    sink = first_bucket + len(buckets)
    tails, heads, most = [], [], []
    for number, (mask, first, after, count) in enumerate(groups, start=1):
        tails.append(np.array([source]))
        heads.append(np.array([number]))
        most.append(np.array([count]))
        to = np.nonzero(served[first:after] & mask)[0] + first
        tails.append(np.full(len(to), number))
        heads.append(first_bucket + to)
        most.append(np.full(len(to), count))
    tails.append(np.arange(first_bucket, sink))
    heads.append(np.full(len(buckets), sink))
    most.append(free)
    flow = max_flow.SimpleMaxFlow()
    flow.add_arcs_with_capacity(np.concatenate(tails), np.concatenate(heads), np.concatenate(most))
    begun = time.perf_counter()
    status = flow.solve(source, sink)
    took = time.perf_counter() - begun
    if status != flow.OPTIMAL:
        sys.exit("no maximum flow")
    print(json.dumps({"flow": flow.optimal_flow(), "seconds": took}), flush=True)
