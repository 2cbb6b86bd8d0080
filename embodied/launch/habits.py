"""Words of ROS 2, dora and other launch files for what a key of ours says, so that a hint can name ours."""

from __future__ import annotations

from embodied.errors import nearest
from embodied.launch.keys import Section

_WORDS = {
    "in": "inputs input subscribes subscribers subscriptions remappings remap connections topics wires",
    "with": "parameters parameter params param ros__parameters settings config options kwargs arguments",
    "use": "class class_name type plugin executable exec package pkg path module operator python source program",
    "rate": "hz frequency freq period tick timer interval fps update_rate spin_rate",
    "latency": "delay processing_time",
    "on": "machine host deploy target _unstable_deploy",
    "restart": "respawn restart_policy",
    "from": "topic source src publisher output node",
    "bound": "queue_size queue depth history buffer",
    "max_age": "timeout deadline lifespan stale_after",
    "lossless": "reliable reliability qos block",
    "nodes": "node launch launch_description composable_node_containers graph dataflow operators",
    "args": "arguments arg declare_arguments launch_arguments variables vars parameters",
    "include": "includes import imports includelaunchdescription",
    "file": "path name launch",
    "namespace": "ns prefix group",
    "machines": "machine hosts computers",
    "processes": "containers groups",
    "clock": "time use_sim_time",
    "world": "simulation simulator sim environment",
    "robots": "robot robot_description urdf",
    "embodied": "version format",
}

_ADVICE = {
    **dict.fromkeys(
        ("outputs", "output", "publishes", "publishers", "publications"),
        "the class of a node declares its outputs; a wire names one: 'in: {input: node.output}'",
    ),
    **dict.fromkeys(("name", "id", "node_name"), "a node is named by its key: 'nodes: {camera: {use: …}}'"),
    **dict.fromkeys(
        ("namespace", "ns"), "a namespace is given where a file is included: 'include: [{file: …, namespace: left}]'"
    ),
    **dict.fromkeys(("env", "environment"), "a setting takes a variable of the environment: ${env:NAME}"),
}


def key_help(key: str, known: Section) -> tuple[str, ...]:
    """Write the help for a key that a section does not have: our word for it, else the nearest of its keys.

    Args:
        key: as it is written.
        known: keys of the section.
    """
    word = key.casefold().replace("-", "_")
    for ours, theirs in _WORDS.items():
        if ours in known and word in theirs.split():
            return (f"write '{ours}': {known[ours].about}",)
    return (_ADVICE[word],) if word in _ADVICE else nearest(key, known)
