"""Does this backup hold what live held when it was taken? For every night.

conditions  what is asked of a backup
past        earlier proofs, and how much of each table came and went in their nights
older       live's rows and tables that were there before the backup, and that it lacks
judging     the checks, and the verdict
proof       the answer as a document with a hash of its own
making      a backup and live in, a proof out
checking    a proof and a backup in: is it of this backup, and as it was?
page        the proof as one sheet to sign
"""
