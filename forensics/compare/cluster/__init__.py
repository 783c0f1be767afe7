"""The same comparison on Spark: rows are read and reduced where there are many machines for it.

`work` is what is sent, and runs there; `session` knows Spark Connect; `queries` says what is asked
of it; `reducer` asks, and hands what differs to the same engine that compares on one machine.
"""
