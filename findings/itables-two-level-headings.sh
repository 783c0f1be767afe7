#!/usr/bin/env bash
# itables 2.9.1 with pandas 3.1: a DataFrame whose columns have two levels, and a plain RangeIndex.
#
# Expected: the index is left out of such a table, from the headings as from the rows, as it is
#           where the columns have one level.
# Seen:     one row of headings leaves the index out, the next keeps an empty cell for it, and each
#           row of data holds a null in its place. The table has three columns by its first line and
#           four by its second; in a browser DataTables stops at it with a TypeError, and not one
#           row is drawn below the headings. With an index that has a name all rows are there.
#
# Met by:   before and after side by side (column, backup|live) in a notebook, which looked as if
#           nothing had changed. The kit gives such tables headings of one level.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet itables==2.9.1 pandas==3.1.1
"$work/venv/bin/python" - <<'PYTHON'
import json
import re

import itables.javascript
import pandas as pd


def drawn(frame):
    """How many columns each row of headings spans, and how many values a row of data has."""
    found = itables.javascript.get_itable_arguments(frame)
    spans = []
    for row in re.findall(r"<tr.*?</tr>", found["table_html"], re.S):
        cells = re.findall(r"<th([^>]*)>", row)
        wide = [int((re.findall(r'colspan="(\d+)"', cell) or ["1"])[0]) for cell in cells]
        spans.append(sum(wide))
    return spans, len(json.loads(found["data_json"])[0])


one = pd.DataFrame([[1, "old", "new"], [2, "old", "new"]], columns=["id", "before", "after"])
two = one.set_axis(
    pd.MultiIndex.from_tuples([("id", ""), ("price", "backup"), ("price", "live")]), axis=1
)
print("itables", itables.__version__, "pandas", pd.__version__)
print("one level of headings: they span", *drawn(one))
print("two levels of headings: they span", *drawn(two))
assert drawn(one) == ([3], 3)
assert drawn(two) == ([3, 4], 4), "this has changed"
PYTHON
echo "As described: the two lines of headings do not span the same columns."
