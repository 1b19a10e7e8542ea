"""Reads every table of a lake with readers that share no code with it, and prints what it saw.

Usage: read_tables.py LAKE. Prints one JSON object: by table the version, the version of `ranges`
that it holds, the files, and for each reader the number of rows and a weight for each column: the
sum over its values of numbers as they are, lengths of texts, microseconds of times.
"""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import polars
import pyarrow.parquet
from deltalake import DeltaTable

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def weight(value):
    """What a value counts in the sum of its column; an integer whatever the type."""
    if isinstance(value, float):
        return round(value * 1000)
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, datetime):
        since = value - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, dict):
        return weight(list(value.items()))
    if isinstance(value, list):
        return sum(map(weight_of_item, value))
    raise TypeError(f"no weight for {value!r}")


def weight_of_item(item):
    """Pairs of a map weigh key times value; polars gives them as structs."""
    if isinstance(item, dict):
        item = (item["key"], item["value"])
    return item[0] * item[1] if isinstance(item, tuple) else weight(item)


def weigh(names, rows):
    """Per column how many values there are and what they weigh."""
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        known = [value for value in values if value is not None]
        weights = [weight_of_map_or_value(value) for value in known]
        columns[name] = [len(known), str(sum(weights))]
    return {"rows": len(rows), "columns": columns}


def weight_of_map_or_value(value):
    return weight_of_item(value) if isinstance(value, tuple) else weight(value)


def by_pyarrow(table):
    """Opens each file by itself; a column that a file lacks is missing in its rows."""
    files = [uri.removeprefix("file://") for uri in table.file_uris()]
    return [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]


def since_median(table, names, rows):
    """Rows that start at or after the middle one: asked of the reader, and counted here."""
    name = next((name for name in ("time", "window_start") if name in names), None)
    if name is None or not rows:
        return None
    middle = sorted(row[name] for row in rows if row[name] is not None)[len(rows) // 2]
    asked = table.to_pyarrow_table(filters=[(name, ">=", middle)]).num_rows
    return [asked, sum(1 for row in rows if row[name] is not None and row[name] >= middle)]


def read(folder):
    table = DeltaTable(str(folder))
    names = [field.name for field in table.schema().fields]
    rows = table.to_pyarrow_table().to_pylist()
    return {
        "version": table.version(),
        "applied": table.transaction_version("ranges"),
        "files": sorted(Path(uri).name for uri in table.file_uris()),
        "comments": all(field.metadata.get("comment") for field in table.schema().fields),
        "since": since_median(table, names, rows),
        "deltalake": weigh(names, rows),
        "pyarrow": weigh(names, by_pyarrow(table)),
        "polars": weigh(names, polars.read_delta(str(folder)).to_dicts()),
    }


lake = Path(sys.argv[1])
folders = sorted(path.parent for path in lake.glob("*/_delta_log"))
print(json.dumps({folder.name: read(folder) for folder in folders}))
