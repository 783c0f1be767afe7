"""One customer's rows: what belongs to the rows that were named, and what these need.

`wanted` reads what was asked, `edges` knows what refers to what, `survivors` fetches rows that live
on, `closure` goes down from the rows that were named, and `belongings` narrows a choice to that.
"""
