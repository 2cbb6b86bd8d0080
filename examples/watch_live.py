"""A live run from outside: print five messages of a topic, from shared memory. `python examples/watch_live.py`.

Start a run in another terminal first: `embodied run launch/pick_place.yaml --sim --live`. The first argument names one
of several runs.
"""

import itertools
import sys

from embodied.live.client import Client, find
from embodied.messages import JointState

with Client(find(sys.argv[1] if len(sys.argv) > 1 else None)) as client:
    print(f"{client.directory.name}: nodes {', '.join(sorted(client.ask('nodes')))}")
    observer = client.observe("arm.state")
    for message, stamp, sequence in itertools.islice(observer.messages(timeout=5.0), 5):
        assert isinstance(message, JointState)
        print(f"{stamp / 1e9:8.3f} s  step {sequence}: joint 1 at {message.position[0]:+.3f} rad")
    observer.close()
