"""The incident forensics kit: what a migration took from a PostgreSQL database, row by row.

import forensics as fx
case = fx.compare("backup.dump", "postgresql://…", case="cases/hotels")
case.tables
"""

from forensics.case.facade import Case, compare, open_case
from forensics.compare.options import Listener, Options
from forensics.demo import notebook_case
from forensics.errors import ForensicsError

__all__ = ["Case", "ForensicsError", "Listener", "Options", "compare", "notebook_case", "open_case"]
__version__ = "0.1.0"
