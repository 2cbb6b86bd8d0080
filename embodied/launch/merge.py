"""How launch files lie over each other.

Mappings merge, lists replace, null removes, a new `use` drops the old `with`. Includes of one file lie beside each
other: the faults of both stand.
"""

from __future__ import annotations

from embodied.launch.yaml_document import Item, entries


def merge(base: Item, over: Item, *, keep_nulls: bool = False) -> Item:
    """`over` on top of `base`; neither is changed.

    A null in `over` removes what `base` has there.

    Args:
        base: what lies below.
        over: what lies above.
        keep_nulls: leave the null in place of what it removes: for layers that will lie over something else in turn.
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    made = dict(base.value)
    # Another class has other settings: what was meant for the old one must not leak into it.
    if "use" in over.value and "use" in made and over.value["use"].value != made["use"].value:
        made.pop("with", None)
    for key, item in over.value.items():
        if key in made and item.value is not None:
            made[key] = merge(made[key], item, keep_nulls=keep_nulls)
        elif item.value is not None:
            made[key] = item if keep_nulls else without_nulls(item)
        elif keep_nulls:
            made[key] = item
        else:
            made.pop(key, None)
    return Item(made, base.place, base.key)


def beside(one: Item, other: Item) -> Item:
    """Two includes of one file, which will lie under it: merged, with the faults of both."""
    made = merge(one, other, keep_nulls=True)
    if entries(one, "faults") and entries(other, "faults"):
        joined = [*one.value["faults"].value, *other.value["faults"].value]
        made.value["faults"] = Item(joined, other.value["faults"].place, other.value["faults"].key)
    for name, profile in entries(other, "profiles").items():
        below = entries(one, "profiles").get(name)
        if below is not None and below.value and profile.value:
            made.value["profiles"].value[name] = beside(below, profile)
    return made


def without_nulls(item: Item) -> Item:
    """An item without the keys that only say that something is removed."""
    if not isinstance(item.value, dict):
        return item
    kept = {key: without_nulls(entry) for key, entry in item.value.items() if entry.value is not None}
    return Item(kept, item.place, item.key)
