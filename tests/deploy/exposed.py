"""The names of the series that `/metrics` has, taken from the registry."""

from process import metrics

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


def documented_names() -> set[str]:
    """Give each metric by the name that its documentation has: a counter's ends in `_total`."""
    return {f"{name}_total" if kind == "counter" else name for name, kind in _families()}


def series_names() -> set[str]:
    """Give each name that a query may ask for."""
    return {name + suffix for name, kind in _families() for suffix in _SUFFIXES.get(kind, ("",))}


def _families() -> list[tuple[str, str]]:
    return [(family.name, family.type) for family in metrics.REGISTRY.collect()]
