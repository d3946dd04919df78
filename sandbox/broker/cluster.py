"""Three private nodes that are one broker: what is in its quorum queues and streams is on every one of them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from sandbox.broker.errors import BrokerFailed
from sandbox.broker.node import Node

MINORITY_PAUSES = "cluster_partition_handling = pause_minority\n"
"""Before 4.3, whose nodes agree by themselves."""

_HIDE = "[begin erlang:set_cookie(N, parted), erlang:disconnect_node(N) end || N <- nodes()]."
_SHOW = "[begin erlang:set_cookie(N, erlang:get_cookie()), net_kernel:connect_node(N) end || N <- {nodes}]."


class Cluster:
    """Nodes below one folder; see the module."""

    def __init__(self, folder: Path, size: int) -> None:
        names = [f"reelbus{number}@localhost" for number in range(1, size + 1)]
        self.nodes = [Node(folder / name, name=name, configuration=MINORITY_PAUSES) for name in names]

    def start(self, *, owner: int) -> None:
        """Start them, each ended soon after the process `owner` is gone. Raises as `Node.start`."""
        first, *others = self.nodes
        first.start(owner=owner)
        for node in others:
            node.join(first)
            node.start(owner=owner)
        for node in others:
            if first.name not in node.ctl("eval", "nodes()."):
                raise BrokerFailed(f"{node.name} did not join {first.name}")

    def part(self, node: Node) -> None:
        """Cut a node off from its like: clients and commands still reach it."""
        node.ctl("eval", _HIDE)

    def mend(self, node: Node) -> None:
        """Reconnect a node to the others of its cluster."""
        others = ", ".join(f"'{each.name}'" for each in self.nodes if each is not node)
        node.ctl("eval", _SHOW.format(nodes=f"[{others}]"))

    def leader(self, queue: str) -> Node:
        """Find the node that leads a quorum queue or a stream, by asking those that answer. Raises `BrokerFailed`."""
        for asked in self.nodes:
            with suppress(BrokerFailed):
                lines = asked.ctl("list_queues", "name", "leader").splitlines()
                leaders = dict(line.split("\t") for line in lines if line.count("\t") == 1)
                return next(node for node in self.nodes if node.name == leaders[queue])
        raise BrokerFailed(f"nobody knows who leads {queue}")

    def missing(self) -> str:
        """Say what is not there: a node, or a quorum queue or a stream on one of them. Nothing where it is whole."""
        ended = [node.name for node in self.nodes if not node.running]
        if ended:
            return f"not running: {', '.join(ended)}"
        try:
            queues = self.nodes[0].ctl("list_queues", "name", "online").splitlines()
        except BrokerFailed as failure:
            return str(failure)
        return "; ".join(line for line in queues if line.count("@") not in {0, len(self.nodes)})

    def stop(self) -> None:
        """End them all without goodbyes, the first last: it brought the name server."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda node: node.stop(now=True), self.nodes[1:]))
        self.nodes[0].stop(now=True)
