"""What tables would hold after statements that have not run: SELECTs, and nothing is written.

Each statement that would change a table's rows or shape becomes one more common table
expression on top of the table as it stands: DELETE a WHERE that keeps the others, UPDATE a
CASE, DROP COLUMN a shorter list. A count after five statements is one SELECT over five layers.
So a DELETE of NULLs before SET NOT NULL counts, and so does a column that the same file adds.
"""

from forensics.preflight.forecast.forecast import Forecast
from forensics.preflight.forecast.standing import Standing, Virtual

__all__ = ["Forecast", "Standing", "Virtual"]
