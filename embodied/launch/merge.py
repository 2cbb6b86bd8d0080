"""Merging of layers: mappings merge, lists replace, null removes, and a new `use` drops the old `with`.

The includes of one file lie beside each other, so that the faults and the process groups of both are kept.
"""

from __future__ import annotations

from embodied.launch.yaml_document import Item, entries, plain


def merge(base: Item, over: Item, *, keep_nulls: bool = False) -> Item:
    """Merge one layer over another; neither is changed.

    A null in the upper layer removes what the lower one has there.

    Args:
        base: lower layer.
        over: upper layer.
        keep_nulls: keep each null, for a result that is merged over another layer in turn.
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    # Another class has other settings: those of the old one must not leak into it.
    if "use" in over.value and "use" in merged and over.value["use"].value != merged["use"].value:
        merged.pop("with", None)
    for key, item in over.value.items():
        if key in merged and item.value is not None:
            merged[key] = merge(merged[key], item, keep_nulls=keep_nulls)
        elif item.value is not None:
            merged[key] = item if keep_nulls else without_nulls(item)
        elif keep_nulls:
            merged[key] = item
        else:
            merged.pop(key, None)
    return Item(merged, base.place, base.key)


_JOINED = ("faults", "processes")
"""Lists that several includes of one file add to, where those of an upper layer would replace them."""


def beside(one: Item, other: Item) -> Item:
    """Merge the layers of two includes of one file, with the lists of both; nulls are kept for the file above them."""
    merged = merge(one, other, keep_nulls=True)
    for key in _JOINED:
        lists = [
            layer.value[key] for layer in (one, other) if key in layer.value and layer.value[key].value is not None
        ]
        if len(lists) == 2:
            first, second = lists
            known = [plain(entry) for entry in first.value] if key == "processes" else []
            # A fragment that both include has its groups only once.
            added = [entry for entry in second.value if plain(entry) not in known]
            merged.value[key] = Item([*first.value, *added], second.place, second.key)
    for name, profile in entries(other, "profiles").items():
        below = entries(one, "profiles").get(name)
        if below is not None and below.value and profile.value:
            merged.value["profiles"].value[name] = beside(below, profile)
    return merged


def without_nulls(item: Item) -> Item:
    """Return a merged item without its nulls, which only remove."""
    if not isinstance(item.value, dict):
        return item
    kept = {key: without_nulls(entry) for key, entry in item.value.items() if entry.value is not None}
    return Item(kept, item.place, item.key)
